"""Chapter 4's low-rate net by PyTorch: its own initial weights, order and BatchNorm1d. Test accuracies, means over five
seeds, with PyTorch's running statistics (momentum 0.1, which is p = 0.9), with those of 3,000 training images (PreciseBN)
and in training mode with batches of two. Run from the repository root; writes ch04_testing.json. Two minutes."""
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


def precise(net):
    """The variance of all 3,000 images together, from batches of 60 in training mode."""
    norms = [module for module in net if isinstance(module, nn.BatchNorm1d)]
    seen = {norm: [] for norm in norms}
    hooks = [norm.register_forward_pre_hook(lambda norm, inputs: seen[norm].append(inputs[0])) for norm in norms]
    with torch.no_grad():
        for images in train[torch.randperm(len(train))[:3000]].split(60):
            net(images)
    for hook in hooks:
        hook.remove()
    return {norm: torch.cat(inputs) for norm, inputs in seen.items()}


found = []
for seed in range(5):
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
        for batch in torch.randperm(len(train)).split(60):
            if len(batch) == 60 and step < 2000:
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(train[batch]), train_labels[batch]).backward()
                optimizer.step()
                step += 1
    net.eval()
    values = {"p = 0.9": right(net, 1000)}
    net.train()
    values["batch of 2"] = right(net, 2)
    for norm, inputs in precise(net).items():
        norm.running_mean, norm.running_var = inputs.mean(0), inputs.var(0, correction=0)
    net.eval()
    values["population"] = right(net, 1000)
    found.append(values)
means = {name: sum(values[name] for values in found) / len(found) for name in found[0]}
open("tests/golden/ch04_testing.json", "w").write(json.dumps(means, indent=1) + "\n")
