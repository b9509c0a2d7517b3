"""Chapter 13's CNN at batch 32 by PyTorch, with its own initial weights and order: BatchNorm against group normalization,
G = 4; test accuracy after 80 and after 400 steps of SGD at rate 0.1, eight seeds. Run from the repository root; writes
golden.json beside this file. Two minutes."""
import gzip
import json
import torch
from torch import nn
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)
FOLDER, BATCH, STEPS, EARLY, RATE = "data/fashion-mnist/", 32, 400, 80, 0.1


def read(name, header, shape):
    return torch.frombuffer(bytearray(gzip.open(FOLDER + name).read()[header:]), dtype=torch.uint8).view(shape)


train = read("train-images-idx3-ubyte.gz", 16, (-1, 1, 28, 28)).float()
labels = read("train-labels-idx1-ubyte.gz", 8, (-1,)).long()
test = read("t10k-images-idx3-ubyte.gz", 16, (-1, 1, 28, 28)).float()
test_labels = read("t10k-labels-idx1-ubyte.gz", 8, (-1,)).long()
test = (test - train.mean()) / train.std(correction=0)
train = (train - train.mean()) / train.std(correction=0)


def accuracy(net):
    net.eval()
    with torch.no_grad():
        right = (net(test).argmax(1) == test_labels).double().mean().item()
    net.train()
    return round(right, 5)


def run(norm, seed):
    torch.manual_seed(seed)
    layers, channels = [], 1
    for outputs in [8, 16, 32]:
        layers += [nn.Conv2d(channels, outputs, 3, padding=1), norm(outputs), nn.ReLU(), nn.MaxPool2d(2)]
        channels = outputs
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(32 * 3 * 3, 10))
    for module in net:
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_normal_(module.weight)
            nn.init.zeros_(module.bias)
    optimizer, early = torch.optim.SGD(net.parameters(), RATE), None
    for step in range(STEPS):
        if step == EARLY:
            early = accuracy(net)
        if step % (len(train) // BATCH) == 0:
            order = torch.randperm(len(train))
        at = step % (len(train) // BATCH) * BATCH
        chosen = order[at : at + BATCH]
        optimizer.zero_grad()
        cross_entropy(net(train[chosen]), labels[chosen]).backward()
        optimizer.step()
    return early, accuracy(net)


found = {}
for name, norm in {"batch": nn.BatchNorm2d, "group": lambda channels: nn.GroupNorm(4, channels)}.items():
    runs = [run(norm, seed) for seed in range(8)]
    found[name] = {"early": [early for early, _ in runs], "end": [end for _, end in runs]}
    print(name, found[name], flush=True)
json.dump(found, open("chapters/ch13_group_norm/golden.json", "w"), indent=1)
