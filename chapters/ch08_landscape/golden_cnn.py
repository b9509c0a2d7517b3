"""Chapter 8's CNN by PyTorch, with its own initial weights, order and BatchNorm2d: at rates 0.01, 0.03 and 0.1, with and without
BatchNorm, the walk along the gradient of the step's batch every 20 of 300 steps, and along a random direction as long;
medians over the training of each of six seeds, and β where the loss on the first 256 training images first comes down to a
level. Run from the repository root; writes golden_cnn.json. Ten minutes."""
import gzip
import json
import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)
FOLDER, BATCH, STEPS, EVERY = "data/fashion-mnist/", 64, 300, 20
RATES, MULTIPLES, LEVELS = [0.01, 0.03, 0.1], [0.5, 1, 2, 3, 4], [1.5, 1.0]


def read(name, header, shape):
    return torch.frombuffer(bytearray(gzip.open(FOLDER + name).read()[header:]), dtype=torch.uint8).view(shape)


train = read("train-images-idx3-ubyte.gz", 16, (-1, 1, 28, 28)).float()
labels = read("train-labels-idx1-ubyte.gz", 8, (-1,)).long()
train = (train - train.mean()) / train.std(correction=0)


def network(norm):
    layers, channels = [], 1
    for outputs in [8, "pool", 16, 16, "pool", 32, 32, "pool"]:
        if outputs == "pool":
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(channels, outputs, 3, padding=1)] + [nn.BatchNorm2d(outputs)] * norm + [nn.ReLU()]
        channels = outputs
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(32 * 3 * 3, 10))
    for module in net:
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_normal_(module.weight)
            nn.init.zeros_(module.bias)
    return net


def slope(net, batch):
    loss = cross_entropy(net(train[batch]), labels[batch])
    return loss.item(), torch.autograd.grad(loss, list(net.parameters()))


def length(tensors):
    return torch.cat([tensor.flatten() for tensor in tensors]).double().norm().item()


def walk(net, batch, g, direction, rate):
    """Range of the loss, largest ‖g′ − g‖, largest ‖g′ − g‖ / ‖η′d‖."""
    before, found = [parameter.detach().clone() for parameter in net.parameters()], []
    for times in MULTIPLES:
        with torch.no_grad():
            for parameter, old, along in zip(net.parameters(), before, direction):
                parameter.copy_(old - times * rate * along)
        loss, there = slope(net, batch)
        change = length([one - other for one, other in zip(there, g)])
        found.append([loss, change, change / (times * rate * length(direction))])
    with torch.no_grad():
        for parameter, old in zip(net.parameters(), before):
            parameter.copy_(old)
    losses, changes, betas = zip(*found)
    return [max(losses) - min(losses), max(changes), max(betas)]


def level_loss(net):
    with torch.no_grad():
        return np.mean([cross_entropy(net(train[i : i + BATCH]), labels[i : i + BATCH]) for i in range(0, 256, BATCH)])


def run(seed, norm, rate):
    torch.manual_seed(seed)
    net, looks, random, at_level = network(norm), [], [], {}
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
    order = torch.cat([torch.randperm(len(train))[: len(train) // BATCH * BATCH] for _ in range(2)])
    for step in range(STEPS):
        batch = order[step * BATCH : (step + 1) * BATCH]
        _, g = slope(net, batch)
        if step % EVERY == 0:
            drawn = [torch.randn_like(of) for of in g]
            factor = length(g) / length(drawn)
            looks.append(walk(net, batch, g, g, rate))
            random.append(walk(net, batch, g, [of * factor for of in drawn], rate))
        if step % 10 == 0 and len(at_level) < len(LEVELS):
            loss = level_loss(net)
            for level in LEVELS:
                if loss <= level and level not in at_level:
                    at_level[level] = walk(net, batch, g, g, rate)[2]
        for parameter, of in zip(net.parameters(), g):
            parameter.grad = of
        optimizer.step()
    names = ["loss range", "change", "beta"]
    return {
        **dict(zip(names, np.median(looks, 0))),
        "random beta": np.median(random, 0)[2],
        **{f"beta at loss {level}": at_level.get(level) for level in LEVELS},
    }


found = {}
for rate in RATES:
    for name, norm in [("plain", False), ("batch", True)]:
        runs = [run(seed, norm, rate) for seed in range(6)]
        of_all = {key: [of[key] and float(f"{of[key]:.6g}") for of in runs] for key in runs[0]}
        found[f"{name} {rate}"] = of_all
        print(rate, name, of_all, flush=True)
open("chapters/ch08_landscape/golden_cnn.json", "w").write(json.dumps(found, indent=1) + "\n")
