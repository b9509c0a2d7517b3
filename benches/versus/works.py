"""What versus_pytorch.py compares, and what is asked of it."""

import os
from dataclasses import dataclass

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Goal:
    """How many times as fast as PyTorch we must be."""

    one_thread: float | None = None
    all_threads: float | None = None
    # And no more than so many times the floor.
    over_floor: float | None = None

    def on(self, threads: int) -> float | None:
        return self.one_thread if threads == 1 else self.all_threads


@dataclass(frozen=True)
class Work:
    """A training step of a net on one batch, or a trial of many such steps."""

    name: str
    title: str
    net: str
    norm: str
    batch: int
    # Large enough for the loss to move, small enough not to magnify rounding, as a deep net with BatchNorm soon does.
    learning_rate: float = 0.01
    goal: Goal = Goal()
    # As many trials as there are cores run at a time.
    trial_steps: int | None = None
    # What must be read and written at the least; where it is given, it is the floor, else the arithmetic is.
    least_bytes: int | None = None

    def names(self) -> list[str]:
        """As both sides take them."""
        return [f"--net={self.net}", f"--norm={self.norm}"]

    def threads(self) -> list[int]:
        return [CORES] if self.trial_steps else sorted({1, CORES})

    def unit(self) -> str:
        return f"trial of {self.trial_steps} steps" if self.trial_steps else "step"


def everywhere(ratio: float) -> Goal:
    return Goal(ratio, ratio)


MLP = "MLP 784-100-100-100-10, sigmoid"
DEEP_MLP = "20-layer MLP of width 100, ReLU"
DEEP_LINEAR = "25-layer linear net of width 10"
CNN = "CNN 16-32-64 on 28×28"
VGG = "VGG-A on 3×32×32"
WORKS = [
    Work("mlp", MLP, "mlp", "none", 60, goal=Goal(one_thread=1.3)),
    Work("mlp-batch", f"{MLP}, BatchNorm", "mlp", "batch", 60, goal=Goal(one_thread=1.5)),
    Work("mlp-trials", MLP, "mlp", "none", 60, goal=Goal(all_threads=1.5), trial_steps=200),
    Work("mlp-batch-trials", f"{MLP}, BatchNorm", "mlp", "batch", 60, goal=Goal(all_threads=1.5), trial_steps=200),
    Work("deep-mlp-batch", f"{DEEP_MLP}, BatchNorm", "deep-mlp", "batch", 60, 3e-6, goal=everywhere(1.5)),
    Work("deep-linear", DEEP_LINEAR, "deep-linear", "none", 1000, goal=everywhere(1.5)),
    Work("deep-linear-batch", f"{DEEP_LINEAR}, BatchNorm", "deep-linear", "batch", 1000, goal=everywhere(1.5)),
    Work("cnn-none-128", CNN, "cnn", "none", 128, 0.1),
    Work("cnn-batch-128", f"{CNN}, BatchNorm", "cnn", "batch", 128, goal=everywhere(1.0)),
    Work("cnn-group-128", f"{CNN}, GroupNorm", "cnn", "group:8", 128, goal=everywhere(1.0)),
    Work("cnn-none-4", CNN, "cnn", "none", 4),
    Work("cnn-batch-4", f"{CNN}, BatchNorm", "cnn", "batch", 4, goal=everywhere(1.5)),
    Work("cnn-group-4", f"{CNN}, GroupNorm", "cnn", "group:8", 4, goal=everywhere(1.5)),
    Work("vgg-a", VGG, "vgg", "none", 128, 0.1, goal=everywhere(0.9)),
    Work("vgg-a-batch", f"{VGG}, BatchNorm", "vgg", "batch", 128, goal=everywhere(0.9)),
    Work(
        "batch-norm-2d",
        "BatchNorm2d on 64×32×32, forward and backward",
        "batch-norm-2d",
        "none",
        128,
        0.0,
        goal=Goal(1.0, 1.0, over_floor=2.0),
        # Forward reads x and writes y, backward reads x and dy and writes dx.
        least_bytes=5 * 4 * 128 * 64 * 32 * 32,
    ),
]
