"""Chapter 4's nets by PyTorch, with its own initial weights, order and BatchNorm1d; means over five seeds. At batch 60 test
accuracies with PyTorch's running statistics (momentum 0.1, which is p = 0.9), with those of 3,000 training images
(PreciseBN) and in training mode with batches of two; at batch 2 the mean of the unbiased variances of batches (Algorithm 2)
over the variance of all. Run from the repository root; writes golden.json in this folder. One minute."""
import gzip
import json
import torch
from torch import nn

torch.set_num_threads(1)
FOLDER = "data/fashion-mnist/"


def read(name, header, shape):
    raw = bytearray(gzip.open(FOLDER + name).read()[header:])
    return torch.frombuffer(raw, dtype=torch.uint8).view(shape)


def part(name):
    images = read(name + "-images-idx3-ubyte.gz", 16, (-1, 784)).float()
    return images, read(name + "-labels-idx1-ubyte.gz", 8, (-1,)).long()


(train, train_labels), (test, test_labels) = part("train"), part("t10k")
mean, deviation = train.mean(), train.std(correction=0)
train, test = (train - mean) / deviation, (test - mean) / deviation


def right(net, size):
    with torch.no_grad():
        answers = torch.cat([net(images).argmax(1) for images in test.split(size)])
    return (answers == test_labels).double().mean().item()


def inputs_of_norms(net, size):
    """What each normalization meets when 3,000 images pass in training mode: batches along the first axis."""
    norms = [module for module in net if isinstance(module, nn.BatchNorm1d)]
    seen = {norm: [] for norm in norms}
    hooks = [norm.register_forward_pre_hook(lambda norm, inputs: seen[norm].append(inputs[0])) for norm in norms]
    with torch.no_grad():
        for images in train[torch.randperm(len(train))[:3000]].split(size):
            net(images)
    for hook in hooks:
        hook.remove()
    return {norm: torch.stack(inputs).double() for norm, inputs in seen.items()}


def trained(seed, size):
    torch.manual_seed(seed)
    widths, layers = [784, 100, 100, 100], []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.Sigmoid()]
    net = nn.Sequential(*layers, nn.Linear(100, 10))
    for module in net:
        if isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight)
            nn.init.zeros_(module.bias)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.03)
    step = 0
    while step < 2000:
        for batch in torch.randperm(len(train)).split(size):
            if len(batch) == size and step < 2000:
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(train[batch]), train_labels[batch]).backward()
                optimizer.step()
                step += 1
    return net


found = []
for seed in range(5):
    net = trained(seed, 60)
    net.eval()
    values = {"low rate/accuracy, p = 0.9, late": right(net, 1000)}
    net.train()
    values["low rate/accuracy, batch of 2, late"] = right(net, 2)
    for norm, inputs in inputs_of_norms(net, 60).items():
        values_of_all = inputs.flatten(0, 1)
        norm.running_mean, norm.running_var = values_of_all.mean(0).float(), values_of_all.var(0, correction=0).float()
    net.eval()
    values["low rate/accuracy, population, late"] = right(net, 1000)
    for layer, inputs in enumerate(inputs_of_norms(trained(seed, 2), 2).values(), 1):
        ratio = inputs.var(1, correction=1).mean(0) / inputs.flatten(0, 1).var(0, correction=0)
        values[f"batch 2/variance ratio, algorithm 2, layer {layer}"] = ratio.log().mean().exp().item()
    found.append(values)
means = {name: sum(values[name] for values in found) / len(found) for name in found[0]}
open("chapters/ch04_testing/golden.json", "w").write(json.dumps(means, indent=1) + "\n")
