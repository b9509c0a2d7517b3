"""PyTorch's side of versus_pytorch.py. It answers as our own side, versus.rs, does:

    pytorch_side.py steps --net NAME --norm NAME --start FILE --threads T --learning-rate R [--compile]
        each line N on standard input makes it take N training steps and print `SECONDS LOSS`, the loss of the last
    pytorch_side.py flops --net NAME --norm NAME --start FILE
        prints the floating-point operations of the matrix products and convolutions of one step
    pytorch_side.py peak --threads T
        prints `GFLOPS GBPS` of a large matrix product and of a large copy, read and write counted
"""

import argparse
import sys
import time
from collections.abc import Callable
from itertools import chain, pairwise

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

VGG_A = [64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool", 512, 512, "pool"]
SMALL = [16, "pool", 32, "pool", 64, "pool"]


# ANCHOR: nets
def normalization(name: str, channels: int, batch_norm: type[nn.Module]) -> list[nn.Module]:
    """`none`, `batch`, or `group:G`."""
    kind, _, groups = name.partition(":")
    match kind:
        case "none":
            return []
        case "batch":
            return [batch_norm(channels)]
        case "group":
            return [nn.GroupNorm(int(groups), channels)]
    sys.exit(f"error: no norm {name}")


def perceptron(widths: list[int], norm: str, *activation: nn.Module) -> nn.Sequential:
    """Linear layers, all but the last followed by norm and activation."""
    *hidden, last = pairwise(widths)
    blocks = [[nn.Linear(*pair), *normalization(norm, pair[1], nn.BatchNorm1d), *activation] for pair in hidden]
    return nn.Sequential(*chain(*blocks), nn.Linear(*last))


def convolutional(inputs: int, plan: list[int | str], norm: str, features: int) -> nn.Sequential:
    """3x3 convolutions, each followed by norm and ReLU, and 2x2 max pools as `plan` lists them; then a linear layer."""
    layers: list[nn.Module] = []
    for entry in plan:
        if entry == "pool":
            layers.append(nn.MaxPool2d(2))
        else:
            convolution = nn.Conv2d(inputs, entry, 3, padding=1)
            layers += [convolution, *normalization(norm, entry, nn.BatchNorm2d), nn.ReLU(inplace=True)]
            inputs = entry
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, 10))


NETS: dict[str, Callable[[str], nn.Module]] = {
    "mlp": lambda norm: perceptron([784, 100, 100, 100, 10], norm, nn.Sigmoid()),
    "deep-mlp": lambda norm: perceptron([784, *[100] * 19, 10], norm, nn.ReLU(inplace=True)),
    "deep-linear": lambda norm: perceptron([10] * 26, norm),
    "cnn": lambda norm: convolutional(1, SMALL, norm, 576),
    "vgg": lambda norm: convolutional(3, VGG_A, norm, 512),
    "batch-norm-2d": lambda _: nn.BatchNorm2d(64),
}
# ANCHOR_END: nets


class Training:
    """A net and a batch. The loss is the mean squared error where the targets are numbers, else the cross-entropy."""

    def __init__(self, net: nn.Module, inputs: Tensor, targets: Tensor, learning_rate: float) -> None:
        self.net, self.inputs = net, inputs
        numbers = targets.is_floating_point()
        self.targets = targets if numbers else targets.long()
        self.criterion = nn.MSELoss() if numbers else nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(net.parameters(), lr=learning_rate)
        self.loss = torch.tensor(0.0)

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.loss = self.criterion(self.net(self.inputs), self.targets)
        self.loss.backward()
        self.optimizer.step()

    def last_loss(self) -> float:
        return self.loss.item()


class Layer:
    """A layer alone, forward and backward with the targets as upstream gradient."""

    def __init__(self, net: nn.Module, inputs: Tensor, targets: Tensor) -> None:
        self.net, self.inputs, self.upstream = net, inputs.requires_grad_(), targets

    def step(self) -> None:
        self.net.zero_grad()
        self.inputs.grad = None
        self.net(self.inputs).backward(self.upstream)

    def last_loss(self) -> float:
        """Not a loss, but like one it tells whether the gradient is right."""
        return (self.inputs.grad * self.upstream).mean().item()


def load(arguments: argparse.Namespace) -> Training | Layer:
    """The net with the weights, and the batch, that our side wrote."""
    start = load_file(arguments.start)
    inputs, targets = start.pop("inputs"), start.pop("targets")
    net = NETS[arguments.net](arguments.norm)
    shapes = [tuple(parameter.shape) for parameter in net.parameters()]
    ours = [tuple(start[str(index)].shape) for index in range(len(start))]
    if shapes != ours:
        sys.exit(f"error: {arguments.net}: PyTorch's parameters are {shapes}, ours {ours}")
    with torch.no_grad():
        for index, parameter in enumerate(net.parameters()):
            parameter.copy_(start[str(index)])
    if arguments.compile:
        net.compile()
    if isinstance(net, nn.Sequential):
        return Training(net, inputs, targets, arguments.learning_rate)
    return Layer(net, inputs, targets)


def answer_steps(arguments: argparse.Namespace) -> None:
    work = load(arguments)
    for line in sys.stdin:
        began = time.perf_counter()
        for _ in range(int(line)):
            work.step()
        print(time.perf_counter() - began, work.last_loss(), flush=True)


def answer_flops(arguments: argparse.Namespace) -> None:
    with FlopCounterMode(display=False) as counter:
        load(arguments).step()
    print(counter.get_total_flops())


def fastest(times: int, work: Callable[[], object]) -> float:
    """Seconds of the fastest of so many runs."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def answer_peak(_: argparse.Namespace) -> None:
    side, length = 1024, 1 << 26
    left, right, product = (torch.rand(side, side) for _ in range(3))
    source, target = torch.ones(length), torch.ones(length)
    gemm = fastest(50, lambda: torch.mm(left, right, out=product))
    copy = fastest(10, lambda: target.copy_(source))
    print(2 * side**3 / gemm / 1e9, 2 * 4 * length / copy / 1e9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("question", choices=["steps", "flops", "peak"])
    parser.add_argument("--net", choices=NETS)
    parser.add_argument("--norm", default="none")
    parser.add_argument("--start")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=0.0)
    parser.add_argument("--compile", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    {"steps": answer_steps, "flops": answer_flops, "peak": answer_peak}[arguments.question](arguments)


if __name__ == "__main__":
    main()
