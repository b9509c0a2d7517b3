"""Times the book's nets against PyTorch: same weights, same inputs, same steps, in turns, on one machine.

    pip install -r benches/requirements.txt
    python benches/versus_pytorch.py                     # everything; writes benches/versus_pytorch.json
    python benches/versus_pytorch.py --quick --only mlp  # a first look; writes lab/versus_pytorch.json
    python benches/versus_pytorch.py --compile           # torch.compile as well, which needs a C++ compiler

Our side is the bench `versus`, PyTorch's is versus/pytorch_side.py; versus/works.py lists what is compared and the
goals. Nothing is timed before the losses of the first steps agree.
"""

import argparse
import hashlib
import json
import platform
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median, quantiles

from versus.sides import PYTORCH_SIDE, ROOT, Problem, Side, Team, ask, our_side, sides
from versus.works import CORES, WORKS, Work

COMMITTED = ROOT / "benches/versus_pytorch.json"
FIRST_LOOK = ROOT / "lab/versus_pytorch.json"
# Single precision keeps seven digits; sums over a batch in another order lose one or two of them. A wrong gradient shows
# in how the loss changes from step to step.
LOSS_TOLERANCE, CHANGE_TOLERANCE, COMPARED_STEPS = 1e-5, 0.02, 5


@dataclass(frozen=True)
class Plan:
    """How long to measure: rounds in which every side has a turn of about so many seconds."""

    rounds: int
    turn_seconds: float


FULL, QUICK = Plan(7, 0.15), Plan(3, 0.1)


@dataclass(frozen=True)
class Peak:
    """What the machine can do on so many threads, as seen from both sides."""

    threads: int
    ours_gflops: float
    pytorch_gflops: float
    copy_gb_per_s: float

    def floor_ms(self, work: Work, flops: int) -> float:
        """What a step or trial takes at the best rate seen, of arithmetic or else of memory traffic."""
        if work.least_bytes:
            return work.least_bytes / self.copy_gb_per_s / 1e6
        return flops * (work.trial_steps or 1) / max(self.ours_gflops, self.pytorch_gflops) / 1e6


@dataclass(frozen=True)
class Row:
    """A line of the table: medians over the turns, for a step or trial."""

    work: str
    title: str
    batch: int
    unit: str
    threads: int
    ours_ms: float
    pytorch_ms: float
    pytorch_default_ms: float
    pytorch_compiled_ms: float | None
    # How many times as fast as PyTorch with its allocator tuned.
    ratio: float
    # What the arithmetic alone would take at the machine's peak, or the memory traffic alone.
    floor_ms: float
    floor: str
    goal_ratio: float | None
    goal_over_floor: float | None
    reached: bool | None
    # How PyTorch was spread over the cores.
    pytorch_split: str
    # First and third, by kind.
    quartiles: dict[str, tuple[float, float]]


def numbers(text: str) -> list[float]:
    return [float(number) for number in text.split()]


def measure_peak(threads: int) -> Peak:
    """The best of three turns each."""
    peak = ["peak", f"--threads={threads}"]
    turns = [[numbers(ask([*side, *peak], threads)) for side in ([our_side()], PYTORCH_SIDE)] for _ in range(3)]
    ours, pytorch = ([max(column) for column in zip(*side)] for side in zip(*turns))
    return Peak(threads, ours[0], pytorch[0], max(ours[1], pytorch[1]))


def check_losses(work: Work, losses: dict[Side, list[float]]) -> None:
    """Refuses to time nets that do not compute the same."""
    (_, ours), *others = losses.items()
    for side, theirs in others:
        for step, (our, their) in enumerate(zip(ours, theirs), 1):
            allowed = LOSS_TOLERANCE * abs(theirs[0]) + CHANGE_TOLERANCE * abs(their - theirs[0])
            if not abs(our - their) <= allowed:
                raise Problem(
                    f"{work.name}: the loss of step {step} is {our:.7g} for us and {their:.7g} for {side.kind}, further "
                    f"apart than the {allowed:.1g} that rounding explains: the nets differ, and nothing is timed"
                )


def measure(work: Work, teams: list[Team], plan: Plan) -> dict[Side, list[float]]:
    """Milliseconds for a step, or a trial, in each turn."""
    check_losses(work, {team.side: [team.ask(1)[1] for _ in range(COMPARED_STEPS)] for team in teams})
    steps = 1
    while teams[0].ask(steps)[0] < plan.turn_seconds / 2:
        steps *= 2
    for team in teams:
        team.ask(steps)
    times: dict[Side, list[float]] = {team.side: [] for team in teams}
    for turn in range(plan.rounds):
        for team in teams if turn % 2 == 0 else reversed(teams):
            seconds, _ = team.ask(steps)
            times[team.side].append(1e3 * seconds / steps * (work.trial_steps or 1) / team.side.at_a_time)
    return times


def judge(work: Work, peak: Peak, flops: int, times: dict[Side, list[float]]) -> Row:
    """Of several sides of a kind the fastest counts."""
    slowest_first = sorted(times, key=lambda side: median(times[side]), reverse=True)
    best = {side.kind: side for side in slowest_first}
    medians = {kind: median(times[side]) for kind, side in best.items()}
    quarters = {kind: quantiles(times[side], n=4) for kind, side in best.items()}
    ratio, floor_ms = medians["pytorch"] / medians["ours"], peak.floor_ms(work, flops)
    goal, over_floor = work.goal.on(peak.threads), work.goal.over_floor
    near_floor = over_floor is None or medians["ours"] <= over_floor * floor_ms
    return Row(
        work=work.name,
        title=work.title,
        batch=work.batch,
        unit=work.unit(),
        threads=peak.threads,
        ours_ms=medians["ours"],
        pytorch_ms=medians["pytorch"],
        pytorch_default_ms=medians["pytorch_default"],
        pytorch_compiled_ms=medians.get("pytorch_compiled"),
        ratio=ratio,
        floor_ms=floor_ms,
        floor="memory" if work.least_bytes else "arithmetic",
        goal_ratio=goal,
        goal_over_floor=over_floor,
        reached=None if goal is None else ratio >= goal and near_floor,
        pytorch_split=best["pytorch"].split(),
        quartiles={kind: (first, third) for kind, (first, _, third) in quarters.items()},
    )


def compare(work: Work, peak: Peak, plan: Plan, compiled: bool, start: Path) -> Row:
    """Starts every side of a work and measures it."""
    ask([our_side(), "start", *work.names(), f"--batch={work.batch}", f"--file={start}"])
    flops = int(ask([*PYTORCH_SIDE, "flops", *work.names(), f"--start={start}"]))
    with ExitStack() as running:
        teams = [running.enter_context(Team(side, work, start)) for side in sides(work, peak.threads, compiled)]
        return judge(work, peak, flops, measure(work, teams, plan))


def show(cells: list[object]) -> None:
    """Prints a line of the table as soon as it is known."""
    texts = ["–" if cell is None else f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in cells]
    print(f"{texts[0]:20}", *(f"{text:>9}" for text in texts[1:]), flush=True)


def show_row(row: Row) -> None:
    verdict = {None: "", True: "reached", False: "MISSED"}[row.reached]
    times = [row.ours_ms, row.pytorch_ms, row.pytorch_default_ms, row.pytorch_compiled_ms, row.floor_ms]
    show([row.work, row.threads, *times, row.ratio, row.goal_ratio, verdict])


def six_digits(value: object) -> object:
    """What is written: more digits of a time say nothing."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: six_digits(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [six_digits(item) for item in value]
    return value


def write(path: Path, record: dict) -> None:
    """Writes the record in one piece, with a digest of all its other lines, so that a digit changed by hand is seen."""
    text = json.dumps(six_digits(record), indent=1, ensure_ascii=False) + "\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(text.replace("{\n", f'{{\n "digest": "{digest}",\n', 1))
    draft.replace(path)
    print(f"wrote {path.relative_to(ROOT)}")


def chosen(names: list[str] | None) -> list[Work]:
    known = [work.name for work in WORKS]
    if unknown := [name for name in names or [] if name not in known]:
        raise Problem(f"--only {unknown[0]}: no such work; there are {', '.join(known)}")
    return [work for work in WORKS if not names or work.name in names]


def torch_version() -> str:
    try:
        version("safetensors")
        return version("torch")
    except PackageNotFoundError as error:
        raise Problem(f"{error.name} is not installed; run pip install -r benches/requirements.txt") from error


def run(arguments: argparse.Namespace) -> None:
    works, plan = chosen(arguments.only), QUICK if arguments.quick else FULL
    torch, about = torch_version(), json.loads(ask([our_side(), "about"]))
    peaks = {threads: measure_peak(threads) for threads in sorted({1, CORES})}
    show(["ms", "threads", "ours", "PyTorch", "default", "compiled", "floor", "ratio", "goal", ""])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for work in works:
            for threads in work.threads():
                rows.append(compare(work, peaks[threads], plan, arguments.compile, Path(folder, "start.safetensors")))
                show_row(rows[-1])
    whole = works == WORKS and plan == FULL
    record = {
        "schema": 1,
        "whole": whole,
        "machine": {"cpu": about.pop("cpu"), "instruction_set": about.pop("instruction_set"), "cores": CORES},
        "made_by": about | {"torch": torch, "python": platform.python_version()},
        "plan": asdict(plan),
        "peaks": [asdict(peak) for peak in peaks.values()],
        "rows": [asdict(row) for row in rows],
    }
    write(COMMITTED if whole else FIRST_LOOK, record)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few short turns instead of many")
    parser.add_argument("--only", action="append", metavar="WORK", help="leave out all other works (repeatable)")
    parser.add_argument("--compile", action="store_true", help="time torch.compile as well")
    try:
        run(parser.parse_args())
    except Problem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
