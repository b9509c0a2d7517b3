"""Chapter 9's deep linear nets with ℓp norms in numpy, f64, with chapter 7's data and initial weights of numpy's own: final loss
after 3,000 steps at rate 1e-6 of each of five seeds, for ℓ1, ℓ2, ℓ∞ and for BatchNorm whose γ starts at √(π/2) or at one over the mean largest of 1,000
normal values; BatchNorm and no norm stand in ch07_deep_linear.json. And loss and gradients of one small net. The
norms' gradients are checked by finite differences first. Run from the repository root; writes ch09_lp_norms.json. Half an hour."""
import json
import numpy as np
from ch07_deep_linear import EPSILON, EXAMPLES, LAYERS, STEPS, WIDTH, batch_norm, gradients, start, stepped


def lp_norm(p):
    """ℓp normalization over the batch, as chapter 7's batch_norm."""

    def norm(z):
        size = np.abs(z)
        if p == 1:
            divisor, slope = size.mean(0), np.sign(z) / len(z)
        elif p == 2:
            divisor = np.sqrt((z**2).mean(0))
            slope = z / (len(z) * divisor)
        else:
            divisor = size.max(0)
            slope = np.sign(z) * (size == divisor) / (size == divisor).sum(0)
        hat = (z - z.mean(0)) / (divisor + EPSILON)
        return hat, lambda g: (g - g.mean(0) - slope * (g * hat).sum(0)) / (divisor + EPSILON)

    return norm


NORMS = {"lp:1": lp_norm(1), "lp:2": lp_norm(2), "lp:inf": lp_norm(np.inf)}


def check_gradients():
    """Central differences of <r, norm(z)> for random r and z with a mean."""
    generator = np.random.default_rng(0)
    z, r = generator.standard_normal((20, 3)) + [0, 1, -2], generator.standard_normal((20, 3))
    for name, norm in {"batch": batch_norm, **NORMS}.items():
        found, step = norm(z)[1](r), 1e-6
        for at in np.ndindex(z.shape):
            move = np.zeros_like(z)
            move[at] = step
            slope = ((norm(z + move)[0] - norm(z - move)[0]) * r).sum() / (2 * step)
            assert abs(slope - found[at]) < 1e-7, (name, at, slope, found[at])


def sines(first, rows, factor=1.0):
    return factor * np.sin(np.arange(first, first + rows * 3)).reshape(rows, 3)


def small_net(norm):
    """Loss and squared gradients by weights, γ and β of chapter 7's small net, whose inputs here have a mean."""
    import ch07_deep_linear

    ch07_deep_linear.LAYERS = 4
    weights = [sines(10 * layer + 7, 3) for layer in range(1, 5)]
    loss, *slopes = gradients(weights, [np.ones(3)] * 4, [np.zeros(3)] * 4, sines(1, 8) + 1, sines(100, 8, 2.0), norm)
    ch07_deep_linear.LAYERS = LAYERS
    return [loss, *(float(sum((slope**2).sum() for slope in of if slope is not None)) for of in slopes)]


def final_loss(seed, norm, gamma=1.0):
    x, y, (weights, gammas, betas) = start(seed)
    parameters = [weights, [gamma * of for of in gammas], betas]
    for _ in range(STEPS):
        _, *slopes = gradients(*parameters, x, y, norm)
        parameters = stepped(parameters, slopes, LAYERS)
    return gradients(*parameters, x, y, norm)[0]


check_gradients()
six_digits = lambda value: float(f"{value:.6g}")
of_largest = 1 / np.abs(np.random.default_rng(1).standard_normal((20_000, EXAMPLES))).max(1).mean()
found = {"small net": {name: [six_digits(value) for value in small_net(norm)] for name, norm in NORMS.items()}}
found["γ"] = {"lp:1": six_digits(np.sqrt(np.pi / 2)), "lp:inf": six_digits(of_largest)}
print(found, flush=True)
runs = {**{name: (norm, 1.0) for name, norm in NORMS.items()}}
runs |= {f"batch as large as {name}": (batch_norm, gamma) for name, gamma in found["γ"].items()}
for name, (norm, gamma) in runs.items():
    found[name] = [six_digits(final_loss(seed, norm, gamma)) for seed in range(5)]
    print(name, found[name], flush=True)
open("tests/golden/ch09_lp_norms.json", "w").write(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
