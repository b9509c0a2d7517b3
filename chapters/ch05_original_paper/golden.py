"""Chapter 5 in PyTorch, on its own random numbers: the ReLU MLP 784-100-100-100-10 at batch 60 by SGD from Glorot's
weights, with and without BatchNorm, at multiples of a learning rate of 0.2, for 500 steps: the largest multiple at which
80 % of 2,000 test images are right at some judged step, and the test accuracy at the end, over five seeds; eight hidden
layers of sigmoids at rate 0.3 for 1,000 steps; and the part of the singular values of a normalized layer's Jacobian that lie
within a factor of 2 of 1, by autograd. Run from the repository root; writes golden.json in this folder."""
import gzip
import json
import math
import torch
from torch import nn

torch.set_num_threads(1)
BATCH, BASE, SEEDS = 60, 0.2, 5
MULTIPLES = [0.1, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0]


def idx(name, header):
    with gzip.open(f"data/fashion-mnist/{name}.gz") as file:
        return torch.frombuffer(bytearray(file.read()[header:]), dtype=torch.uint8)


def images(part):
    return idx(f"{part}-images-idx3-ubyte", 16).view(-1, 784).float(), idx(f"{part}-labels-idx1-ubyte", 8).long()


(train, train_classes), (test, test_classes) = images("train"), images("t10k")
mean, deviation = train.mean(), train.std(unbiased=False)
train, test = (train - mean) / deviation, (test - mean) / deviation


def build(norm, hidden, activation):
    layers, widths = [], [784] + [100] * hidden + [10]
    for depth, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        linear = nn.Linear(inputs, outputs)
        nn.init.xavier_normal_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers.append(linear)
        if depth < hidden:
            layers += ([nn.BatchNorm1d(outputs)] if norm == "batch" else []) + [activation()]
    return nn.Sequential(*layers)


def accuracy(net, count):
    net.eval()
    with torch.no_grad():
        right = (net(test[:count]).argmax(1) == test_classes[:count]).double().mean().item()
    net.train()
    return right


def judged(steps):
    """Twelve in every factor of ten, and the last."""
    samples, following = {0, steps}, 1.0
    while following < steps:
        samples.add(round(following))
        following *= 10 ** (1 / 12)
    return samples


def run(norm, hidden, activation, rate, steps, seed):
    """Whether 80 % was reached, and the test accuracy at the end; a diverged run guesses."""
    torch.manual_seed(seed)
    net = build(norm, hidden, activation)
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
    order, per_epoch, reached = torch.randperm(len(train)), len(train) // BATCH, False
    looks = judged(steps)
    for step in range(steps):
        if step and step % per_epoch == 0:
            order = torch.randperm(len(train))
        if step in looks:
            reached |= accuracy(net, 2000) >= 0.8
        chosen = order[step % per_epoch * BATCH :][:BATCH]
        loss = nn.functional.cross_entropy(net(train[chosen]), train_classes[chosen])
        if not torch.isfinite(loss):
            return False, 0.1
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    last = accuracy(net, len(test))
    return reached or last >= 0.8, last


def near_one(seed, width=100, batch=60):
    torch.manual_seed(seed)
    weight = torch.randn(width, width, dtype=torch.float64) / math.sqrt(width)
    inputs = torch.randn(batch, width, dtype=torch.float64)

    def first(example):
        z = torch.cat([example[None], inputs[1:]]) @ weight.T
        return ((z - z.mean(0)) / z.std(0, unbiased=False))[0]

    values = torch.linalg.svdvals(torch.autograd.functional.jacobian(first, inputs[0]))
    return ((values >= 0.5) & (values <= 2.0)).double().mean().item()


golden = {"near_one": sum(near_one(seed) for seed in range(20)) / 20}
for norm in ("plain", "batch"):
    largest, accuracies = [], {multiple: [] for multiple in MULTIPLES}
    for seed in range(SEEDS):
        reached = []
        for multiple in MULTIPLES:
            arrived, last = run(norm, 3, nn.ReLU, multiple * BASE, 500, seed)
            accuracies[multiple].append(last)
            reached += [multiple] if arrived else []
        largest.append(max(reached))
    golden[norm] = {"largest": largest} | {f"×{m:g}": sum(a) / SEEDS for m, a in accuracies.items()}
    golden[norm]["deep"] = sum(run(norm, 8, nn.Sigmoid, 0.3, 1000, seed)[1] for seed in range(SEEDS)) / SEEDS
open("chapters/ch05_original_paper/golden.json", "w").write(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")
