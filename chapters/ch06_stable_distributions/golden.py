"""Chapter 6's nets by PyTorch, with its own initial weights, order, noise and BatchNorm1d: training accuracy on the first 512
training images as training sees them (batches of 128, batch statistics, noise) after 400 steps, means over ten seeds.
Run from the repository root; writes golden.json. Ten minutes."""
import gzip
import json
import torch
from torch import nn

torch.set_num_threads(1)
FOLDER = "data/fashion-mnist/"


def read(name, header, shape):
    raw = bytearray(gzip.open(FOLDER + name).read()[header:])
    return torch.frombuffer(raw, dtype=torch.uint8).view(shape)


train = read("train-images-idx3-ubyte.gz", 16, (-1, 784)).float()
labels = read("train-labels-idx1-ubyte.gz", 8, (-1,)).long()
train = (train - train.mean()) / train.std(correction=0)


class Noise(nn.Module):
    """Algorithm 1 of the appendix."""

    def forward(self, a):
        mu = torch.empty(a.shape[1]).uniform_(-0.5, 0.5)
        sigma = torch.empty(a.shape[1]).uniform_(1, 1.25)
        m = mu + torch.empty(a.shape).uniform_(-0.1, 0.1)
        s = sigma + 0.1 * torch.randn(a.shape)
        return s * a + m


def accuracy(seed, depth, norm, noise, steps=400):
    torch.manual_seed(seed)
    widths, layers = [784] + [100] * depth, []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [nn.Linear(inputs, outputs)]
        layers += [nn.BatchNorm1d(outputs)] * norm + [Noise()] * noise + [nn.ReLU()]
    net = nn.Sequential(*layers, nn.Linear(100, 10))
    for module in net:
        if isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight)
            nn.init.zeros_(module.bias)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    step = 0
    while step < steps:
        for batch in torch.randperm(len(train)).split(128):
            if len(batch) == 128 and step < steps:
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(train[batch]), labels[batch]).backward()
                optimizer.step()
                step += 1
    with torch.no_grad():
        answers = torch.cat([net(images).argmax(1) for images in train[:512].split(128)])
    return (answers == labels[:512]).double().mean().item()


NETS = {"plain": (False, False), "batch": (True, False), "noisy": (True, True), "noise": (False, True)}
found = {}
for depth in [8, 14, 20]:
    for name, (norm, noise) in NETS.items():
        found[f"{name} {depth}"] = sum(accuracy(seed, depth, norm, noise) for seed in range(10)) / 10
        print(depth, name, found[f"{name} {depth}"], flush=True)
open("chapters/ch06_stable_distributions/golden.json", "w").write(json.dumps(found, indent=1) + "\n")
