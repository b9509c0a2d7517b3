"""Chapter 15's MLP with PyTorch's own spectral normalization, its own initial weights and order: the largest |σ₁ − 1| of
the two hidden layers after 2,000 steps on batches of 64 and after 125 on batches of 1,000, five seeds. Run from the
repository root; writes golden.json beside this file. One minute."""
import gzip
import json
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import spectral_norm

torch.set_num_threads(1)
FOLDER, IMAGES = "data/fashion-mnist/", 2000


def read(name, header, shape):
    return torch.frombuffer(bytearray(gzip.open(FOLDER + name).read()[header:]), dtype=torch.uint8).view(shape)


train = read("train-images-idx3-ubyte.gz", 16, (-1, 784)).float()
train = ((train - train.mean()) / train.std(correction=0))[:IMAGES]
labels = read("train-labels-idx1-ubyte.gz", 8, (-1,)).long()[:IMAGES]


def run(batch, rate, steps, seed):
    torch.manual_seed(seed)
    hidden = [nn.Linear(784, 100), nn.Linear(100, 100)]
    head = nn.Linear(100, 10)
    for layer in [*hidden, head]:
        nn.init.xavier_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
    hidden = [spectral_norm(layer) for layer in hidden]
    net = nn.Sequential(hidden[0], nn.ReLU(), hidden[1], nn.ReLU(), head)
    optimizer = torch.optim.SGD(net.parameters(), rate)
    per_epoch = IMAGES // batch
    for step in range(steps):
        if step % per_epoch == 0:
            order = torch.randperm(IMAGES)
        chosen = order[step % per_epoch * batch :][:batch]
        optimizer.zero_grad()
        cross_entropy(net(train[chosen]), labels[chosen]).backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        net(train[:2])
        largest = [torch.linalg.matrix_norm(layer.weight.double(), 2).item() for layer in hidden]
    return round(max(abs(value - 1) for value in largest), 5)


found = {name: [run(*setting, seed) for seed in range(5)]
         for name, setting in {"small": (64, 0.1, 2000), "large": (1000, 0.2, 125)}.items()}
print(found)
json.dump(found, open("chapters/ch15_spectral_norm/golden.json", "w"), indent=1)
