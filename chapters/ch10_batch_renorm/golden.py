"""Chapter 10 by PyTorch, with its own initial weights, order and batch renormalization: an MLP 784-100-100-100-10, 1,500
steps of SGD at rate 0.1 on batches of 64 in microbatches: of any 16 images, of 16 of two classes, and of any 4. Test
accuracy in evaluation of five seeds. Run from the repository root; writes golden.json beside this file. Five minutes."""
import gzip
import json
import torch
from torch import nn
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)
FOLDER, BATCH, STEPS, RATE = "data/fashion-mnist/", 64, 1500, 0.1


def read(name, header, shape):
    return torch.frombuffer(bytearray(gzip.open(FOLDER + name).read()[header:]), dtype=torch.uint8).view(shape)


train = read("train-images-idx3-ubyte.gz", 16, (-1, 784)).float()
labels = read("train-labels-idx1-ubyte.gz", 8, (-1,)).long()
test = read("t10k-images-idx3-ubyte.gz", 16, (-1, 784)).float()
test_labels = read("t10k-labels-idx1-ubyte.gz", 8, (-1,)).long()
test = (test - train.mean()) / train.std(correction=0)
train = (train - train.mean()) / train.std(correction=0)
members = [(labels == label).nonzero().flatten() for label in range(10)]


class Renorm(nn.Module):
    """Algorithm 1 of arXiv:1702.03275, α = 0.01; the limits rise from an eighth of the ramp on."""

    def __init__(self, units):
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(units)), nn.Parameter(torch.zeros(units))
        self.mean, self.deviation, self.step = torch.zeros(units), torch.ones(units), 0

    def forward(self, x):
        if not self.training:
            return (x - self.mean) / self.deviation * self.gamma + self.beta
        mean, deviation = x.mean(0), (x.var(0, correction=0) + 1e-5).sqrt()
        part = self.step / (STEPS // 2)
        r_max = 1 + 2 * min(max((part - 0.125) / 0.875, 0), 1)
        d_max = 5 * min(max((part - 0.125) / 0.5, 0), 1)
        with torch.no_grad():
            r = (deviation / self.deviation).clamp(1 / r_max, r_max)
            d = ((mean - self.mean) / self.deviation).clamp(-d_max, d_max)
            self.mean = 0.99 * self.mean + 0.01 * mean
            self.deviation = 0.99 * self.deviation + 0.01 * deviation
        return ((x - mean) / deviation * r + d) * self.gamma + self.beta


def run(norm, size, classes, seed):
    torch.manual_seed(seed)
    layers, inputs = [], 784
    for _ in range(3):
        layers += [nn.Linear(inputs, 100), norm(100), nn.ReLU()]
        inputs = 100
    net = nn.Sequential(*layers, nn.Linear(100, 10))
    for module in net:
        if isinstance(module, nn.Linear):
            nn.init.xavier_normal_(module.weight)
            nn.init.zeros_(module.bias)
    optimizer = torch.optim.SGD(net.parameters(), RATE)
    for step in range(STEPS):
        for module in net:
            module.step = step
        optimizer.zero_grad()
        for _ in range(BATCH // size):
            if classes:
                chosen = torch.cat([members[label][torch.randperm(len(members[label]))[: size // classes]]
                                    for label in torch.randperm(10)[:classes]])
            else:
                chosen = torch.randint(len(train), (size,))
            (cross_entropy(net(train[chosen]), labels[chosen]) * size / BATCH).backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        return (net(test).argmax(1) == test_labels).double().mean().item()


ARMS = {"batch in 16s": (nn.BatchNorm1d, 16, None), "batch two classes": (nn.BatchNorm1d, 16, 2),
        "renorm two classes": (Renorm, 16, 2), "batch in 4s": (nn.BatchNorm1d, 4, None), "renorm in 4s": (Renorm, 4, None)}
found = {}
for name, arm in ARMS.items():
    found[name] = [round(run(*arm, seed), 5) for seed in range(5)]
    print(name, found[name], flush=True)
json.dump(found, open("chapters/ch10_batch_renorm/golden.json", "w"), indent=1)
