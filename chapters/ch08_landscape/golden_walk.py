"""The walk along the gradient of Santurkar et al. 2018 (Fig. 4 and 10) in numpy, f64, with the gradients of chapter 7's deep linear
net: on one small net, weights and data sines, so that both sides make the same; and over trainings of 3,000 steps at
rates 1e-8 and 1e-6, with and without BatchNorm, with data and initial weights of numpy's own, each of five seeds: medians over 30 looks.
Run from the repository root; writes golden_walk.json. Ten minutes."""
import json
import sys
import numpy as np

sys.path.append("chapters/ch07_covariate_shift")
import golden_deep_linear as deep
from golden_deep_linear import LAYERS, LOOKS, STEPS, batch_norm, gradients, start

NORMS = {"none": None, "batch": batch_norm}
MULTIPLES = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0]
LEVELS = [3e4, 2e4]


def flat(slopes):
    return np.concatenate([slope.ravel() for of in slopes for slope in of if slope is not None])


def moved(parameters, slopes, by):
    move = lambda value, slope: value if slope is None else value - by * slope
    return [[move(value, slope) for value, slope in zip(*pair)] for pair in zip(parameters, slopes)]


def walk(parameters, x, y, norm, distances):
    """Of each distance η′: loss, ‖g′ − g‖, β = ‖g′ − g‖ / ‖η′g‖, and the curvature ⟨g − g′, g⟩ / (η′ ‖g‖²)."""
    slopes = gradients(*parameters, x, y, norm)[1:]
    g, found = flat(slopes), []
    for distance in distances:
        loss, *there = gradients(*moved(parameters, slopes, distance), x, y, norm)
        change = flat(there) - g
        size = np.linalg.norm(change)
        found.append([loss, size, size / (distance * np.linalg.norm(g)), -(change @ g) / (distance * (g @ g))])
    return np.array(found)


def small_net(norm):
    """Chapter 7's, of 4 layers."""
    sines = lambda first, rows, factor=1.0: factor * np.sin(np.arange(first, first + rows * 3)).reshape(rows, 3)
    deep.LAYERS = 4
    parameters = [[sines(10 * layer + 7, 3) for layer in range(1, 5)], [np.ones(3)] * 4, [np.zeros(3)] * 4]
    found = walk(parameters, sines(1, 8), sines(100, 8, 2.0), norm, [0.01, 0.03])
    deep.LAYERS = LAYERS
    return found.tolist()


def run(seed, norm, rate):
    x, y, parameters = start(seed)
    looks, at_level, distances = [], {}, [times * rate for times in MULTIPLES]
    for step in range(STEPS):
        loss, *slopes = gradients(*parameters, x, y, norm)
        is_level = step % 10 == 0 and any(level not in at_level and loss <= level for level in LEVELS)
        if step % (STEPS // LOOKS) == 0 or is_level:
            seen = walk(parameters, x, y, norm, distances)
            if step % (STEPS // LOOKS) == 0:
                looks.append(seen)
            for level in LEVELS:
                if is_level and loss <= level:
                    at_level.setdefault(level, seen[:, 2].max())
        parameters = moved(parameters, slopes, rate)
    looks = np.array(looks)
    losses = looks[:, :, 0]
    return {
        "loss range": np.median(losses.max(1) - losses.min(1)),
        "change": np.median(looks[:, :, 1].max(1)),
        "beta": np.median(looks[:, :, 2].max(1)),
        "beta by distance": [float(f"{value:.6g}") for value in np.median(looks[:, :, 2], 0)],
        **{f"beta at loss {level:g}": at_level.get(level) for level in LEVELS},
    }


if __name__ == "__main__":
    six_digits = lambda value: float(f"{value:.6g}") if isinstance(value, (float, np.floating)) else value
    found = {"small net": {name: small_net(norm) for name, norm in NORMS.items()}}
    print(found, flush=True)
    for rate in [1e-8, 1e-6]:
        for name, norm in NORMS.items():
            runs = []
            for seed in range(5):
                runs.append({key: six_digits(value) for key, value in run(seed, norm, rate).items()})
                print(rate, name, runs[-1], flush=True)
            found[f"{name} {rate:g}"] = {key: [of[key] for of in runs] for key in runs[0]}
    open("chapters/ch08_landscape/golden_walk.json", "w").write(json.dumps(found, indent=1) + "\n")
