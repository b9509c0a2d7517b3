"""Chapter 3 in PyTorch, on its own random numbers: the sigmoid MLP 784-100-100-100-10 trained by SGD at batch 60 and
learning rate 0.5, with BatchNorm that learns both γ and β, with one that learns neither, and without. For each the means
over five seeds of the test accuracy, as it is and with every hidden unit's sigmoid replaced by its best line, and of the
part of the units' variance that the lines leave; and the share of a sigmoid of a standard normal that its best line
explains, by Gauss-Legendre quadrature on panels. Run from the repository root; writes golden.json in this folder."""
import gzip
import json
import math
import torch
from torch import nn

torch.set_num_threads(1)
STEPS, BATCH, RATE, SEEDS, FITTED = 1500, 60, 0.5, 5, 2000


def idx(name, header):
    with gzip.open(f"data/fashion-mnist/{name}.gz") as file:
        return torch.frombuffer(bytearray(file.read()[header:]), dtype=torch.uint8)


def images(part):
    return idx(f"{part}-images-idx3-ubyte", 16).view(-1, 784).float(), idx(f"{part}-labels-idx1-ubyte", 8).long()


(train, train_classes), (test, test_classes) = images("train"), images("t10k")
mean, deviation = train.mean(), train.std(unbiased=False)
train, test = (train - mean) / deviation, (test - mean) / deviation


def build(norm):
    layers, widths = [], [784, 100, 100, 100, 10]
    for depth, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        linear = nn.Linear(inputs, outputs)
        nn.init.xavier_normal_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers.append(linear)
        if depth < 3:
            if norm != "none":
                layers.append(nn.BatchNorm1d(outputs, affine=norm == "both"))
            layers.append(nn.Sigmoid())
    return nn.Sequential(*layers)


def measure(net):
    """In evaluation: the lines are fitted on the net as it is, then all put in its place."""
    left, whole, lines, z = 0.0, 0.0, [], train[:FITTED]
    for layer in net:
        a = layer(z)
        if isinstance(layer, nn.Sigmoid):
            x, y = z.double(), a.double()
            slope = ((x - x.mean(0)) * (y - y.mean(0))).mean(0) / x.var(0, unbiased=False)
            line = slope, y.mean(0) - slope * x.mean(0)
            left += ((y - slope * x - line[1]) ** 2).mean(0).sum().item()
            whole += y.var(0, unbiased=False).sum().item()
            lines.append(line)
        z = a
    straight, lines = test, iter(lines)
    for layer in net:
        if isinstance(layer, nn.Sigmoid):
            slope, intercept = next(lines)
            straight = (straight * slope + intercept).float()
        else:
            straight = layer(straight)
    right = lambda logits: (logits.argmax(1) == test_classes).double().mean().item()
    return {"nonlinear_share": left / whole, "test_accuracy": right(net(test)), "test_accuracy_with_lines": right(straight)}


def run(norm, seed):
    torch.manual_seed(seed)
    net = build(norm)
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE)
    order = torch.randperm(len(train))
    per_epoch = len(train) // BATCH
    for step in range(STEPS):
        if step and step % per_epoch == 0:
            order = torch.randperm(len(train))
        chosen = order[step % per_epoch * BATCH :][:BATCH]
        loss = nn.functional.cross_entropy(net(train[chosen]), train_classes[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        return measure(net)


def normal_share():
    """Gauss-Legendre with 5 points on each of 400 panels of [-10, 10]."""
    nodes = [0.0, 0.5384693101056831, -0.5384693101056831, 0.9061798459386640, -0.9061798459386640]
    weights = [0.5688888888888889] + [0.4786286704993665] * 2 + [0.2369268850561891] * 2
    half = 0.025
    centers = torch.arange(400, dtype=torch.float64) * 2 * half - 10 + half
    z = torch.cat([centers + half * node for node in nodes])
    weight = torch.cat([torch.full_like(centers, half * w) for w in weights])
    weight = weight * torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    a = torch.sigmoid(z)
    centre = (weight * a).sum()
    return ((weight * z * a).sum() ** 2 / (weight * (a - centre) ** 2).sum()).item()


golden = {"normal_share": normal_share()}
for norm in ("both", "plain", "none"):
    runs = [run(norm, seed) for seed in range(SEEDS)]
    golden[norm] = {name: sum(found[name] for found in runs) / SEEDS for name in runs[0]}
open("chapters/ch03_gamma_beta/golden.json", "w").write(json.dumps(golden, indent=1) + "\n")
