"""The two sides of the comparison as processes that are asked for so many training steps at a time."""

import json
import os
import subprocess
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from versus.works import CORES, Work

ROOT = Path(__file__).resolve().parent.parent.parent
PYTORCH_SIDE = [sys.executable, str(Path(__file__).with_name("pytorch_side.py"))]
THREAD_LIMITS = ("RAYON_NUM_THREADS", "CANDLE_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
# Allocators give large blocks back to the system, which then costs a page fault for every 4 KiB of the next one. With
# these settings they keep them: PyTorch's, which is glibc's on Linux, and ours, mimalloc.
THRESHOLDS = ("mmap_threshold", "trim_threshold", "top_pad")
KEEP_MEMORY = {
    "GLIBC_TUNABLES": ":".join(f"glibc.malloc.{name}={1 << 30}" for name in THRESHOLDS),
    "MIMALLOC_PURGE_DELAY": "-1",
}


class Problem(Exception):
    """What the user is told, in one sentence."""


@cache
def our_side() -> str:
    """Builds the bench `versus`; the path of its program."""
    build = ["cargo", "bench", "--bench", "versus", "--no-run", "--locked", "--message-format=json-render-diagnostics"]
    try:
        output = subprocess.run(build, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise Problem(f"our side cannot be built: {error}") from error
    messages = map(json.loads, output.splitlines())
    built = (message for message in messages if message["reason"] == "compiler-artifact")
    paths = [artifact["executable"] for artifact in built if artifact["target"]["name"] == "versus"]
    if not paths:
        raise Problem("cargo built no program named versus")
    return paths[-1]


@dataclass(frozen=True)
class Side:
    """Somebody to time."""

    # "ours", "pytorch", "pytorch_default" (glibc's thresholds as they come) or "pytorch_compiled".
    kind: str
    processes: int
    threads: int
    # Trials that a process runs at a time, each on so many threads.
    trials: int = 1

    @property
    def at_a_time(self) -> int:
        return self.processes * self.trials

    def split(self) -> str:
        """How the work is spread over the cores."""
        processes = "1 process" if self.processes == 1 else f"{self.processes} processes"
        return f"{processes} of {self.threads} thread{'s' * (self.threads > 1)}"

    def command(self, work: Work, start: Path) -> list[str]:
        common = ["steps", *work.names(), f"--threads={self.threads}", f"--learning-rate={work.learning_rate}"]
        if self.kind == "ours":
            return [our_side(), *common, f"--batch={work.batch}", f"--trials={self.trials}"]
        return [*PYTORCH_SIDE, *common, f"--start={start}", *["--compile"] * (self.kind == "pytorch_compiled")]

    def environment(self) -> dict[str, str]:
        return environment(self.threads) | (KEEP_MEMORY if self.kind != "pytorch_default" else {})


def environment(threads: int) -> dict[str, str]:
    return dict(os.environ) | dict.fromkeys(THREAD_LIMITS, str(threads))


def sides(work: Work, threads: int, compiled: bool) -> list[Side]:
    """Who takes part. Where PyTorch may spread trials over the cores as it likes, each way to do so takes part."""
    kinds = ["pytorch", "pytorch_default", *["pytorch_compiled"] * compiled]
    if work.trial_steps is None:
        return [Side(kind, 1, threads) for kind in ["ours", *kinds]]
    powers = [1 << power for power in range(threads.bit_length()) if 1 << power < threads]
    splits = [(1, count) for count in [*powers, threads]] + [(threads, 1)] * (threads > 1)
    return [Side("ours", 1, 1, trials=threads), *(Side(kind, *split) for kind in kinds for split in splits)]


def ask(command: list[str], threads: int = 1) -> str:
    """What a program says and ends."""
    try:
        return subprocess.run(command, env=environment(threads), stdout=subprocess.PIPE, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise Problem(f"{error}") from error


class Team(AbstractContextManager):
    """The running processes of a side, asked as one."""

    def __init__(self, side: Side, work: Work, start: Path) -> None:
        self.side, self.work = side, work
        command, environment = side.command(work, start), side.environment()
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
        self.processes = [subprocess.Popen(command, **pipes) for _ in range(side.processes)]

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()

    def ask(self, steps: int) -> tuple[float, float]:
        """Each process takes so many steps, all at the same time. Seconds until the last is done, and the last loss."""
        try:
            for process in self.processes:
                process.stdin.write(f"{steps}\n")
                process.stdin.flush()
            answers = [[float(number) for number in process.stdout.readline().split()] for process in self.processes]
            seconds, losses = zip(*answers, strict=True)
        except (OSError, ValueError) as error:
            raise Problem(f"{self.side.kind} stopped in {self.work.name} on {self.side.split()}") from error
        return max(seconds), losses[-1]
