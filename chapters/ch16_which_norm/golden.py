"""Chapter 16's networks by PyTorch, with initial weights and orders of their own: BatchNorm, layer normalization, Dynamic
Tanh (Zhu et al. 2025) and a network without normalization whose gradients are clipped (Brock et al. 2021, eq. 3; not the
last layer's); test accuracy of the CNN at rate 0.1, and of the MLP at the best rate of a grid, on batches of 32 and of 2.
Run from the repository root; writes golden.json beside this file. Five minutes."""
import gzip
import json
import torch
from torch import nn
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)
FOLDER, SEEDS, CLIPPING = "data/fashion-mnist/", 8, 0.16


def read(name, header, shape):
    return torch.frombuffer(bytearray(gzip.open(FOLDER + name).read()[header:]), dtype=torch.uint8).view(shape)


train = read("train-images-idx3-ubyte.gz", 16, (-1, 1, 28, 28)).float()
labels = read("train-labels-idx1-ubyte.gz", 8, (-1,)).long()
test = read("t10k-images-idx3-ubyte.gz", 16, (-1, 1, 28, 28)).float()
test_labels = read("t10k-labels-idx1-ubyte.gz", 8, (-1,)).long()
test = (test - train.mean()) / train.std(correction=0)
train = (train - train.mean()) / train.std(correction=0)


class DynamicTanh(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.alpha = nn.Parameter(torch.tensor(0.5))
        self.gamma, self.beta = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        shape = [1, -1] + [1] * (x.dim() - 2)
        return self.gamma.view(shape) * torch.tanh(self.alpha * x) + self.beta.view(shape)


NORMS = {
    "batch": lambda channels: (nn.BatchNorm2d(channels), nn.BatchNorm1d(channels)),
    "layer": lambda channels: (nn.GroupNorm(1, channels), nn.LayerNorm(channels)),
    "dyt": lambda channels: (DynamicTanh(channels), DynamicTanh(channels)),
    "clipped": lambda channels: (nn.Identity(), nn.Identity()),
}


def cnn(norm):
    layers, channels = [], 1
    for outputs in [8, 16, 32]:
        layers += [nn.Conv2d(channels, outputs, 3, padding=1), norm(outputs)[0], nn.ReLU(), nn.MaxPool2d(2)]
        channels = outputs
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(32 * 3 * 3, 10))


def mlp(norm):
    layers, width = [nn.Flatten()], 28 * 28
    for outputs in [100, 100]:
        layers += [nn.Linear(width, outputs), norm(outputs)[1], nn.ReLU()]
        width = outputs
    return nn.Sequential(*layers, nn.Linear(width, 10))


def lengths(tensor):
    rows = tensor.flatten(1) if tensor.dim() > 1 else tensor.view(1, -1)
    shape = [-1] + [1] * (tensor.dim() - 1) if tensor.dim() > 1 else [1]
    return rows.norm(dim=1).view(shape)


def clip(net):
    for module in list(net)[:-1]:
        for parameter in module.parameters():
            allowed = CLIPPING * lengths(parameter.detach()).clamp(min=1e-3)
            parameter.grad *= (allowed / lengths(parameter.grad).clamp(min=1e-6)).clamp(max=1.0)


def run(net, name, batch, steps, rate, seed):
    torch.manual_seed(seed)
    net = net(NORMS[name])
    for module in net:
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_normal_(module.weight)
            nn.init.zeros_(module.bias)
    optimizer = torch.optim.SGD(net.parameters(), rate)
    for step in range(steps):
        if step % (len(train) // batch) == 0:
            order = torch.randperm(len(train))
        at = step % (len(train) // batch) * batch
        chosen = order[at : at + batch]
        optimizer.zero_grad()
        loss = cross_entropy(net(train[chosen]), labels[chosen])
        if not torch.isfinite(loss):
            return 0.1
        loss.backward()
        if name == "clipped":
            clip(net)
        optimizer.step()
    net.eval()
    with torch.no_grad():
        return round((net(test).argmax(1) == test_labels).double().mean().item(), 5)


def best(name, batch, steps, rates, seed):
    return max(run(mlp, name, batch, steps, rate, seed) for rate in rates)


found = {}
for name in NORMS:
    found[name] = {
        "CNN": [run(cnn, name, 32, 200, 0.1, seed) for seed in range(SEEDS)],
        "batches of 32": [best(name, 32, 100, [0.01, 0.03, 0.1, 0.3, 1.0, 3.0], seed) for seed in range(SEEDS)],
        "batches of 2": [best(name, 2, 1600, [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3], seed) for seed in range(SEEDS)],
    }
    print(name, found[name], flush=True)
json.dump(found, open("chapters/ch16_which_norm/golden.json", "w"), indent=1)
