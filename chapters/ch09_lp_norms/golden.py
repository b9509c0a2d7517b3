"""Chapter 9's deep linear nets in numpy, f64, with data and initial weights of numpy's own: of each of five seeds what the chapter's
claims compare, after 3,000 steps at rate 1e-6, without a norm, with BatchNorm, with ℓ1, ℓ2, ℓ∞, and with BatchNorm whose γ starts at
√(π/2) or at one over the mean largest of 1,000 normal values. And loss and gradients of one small net. The norms' gradients
are checked by finite differences first. Run from the repository root; writes golden.json. A quarter of an hour."""
import json
import multiprocessing
import sys
import numpy as np

sys.path.append("chapters/ch07_covariate_shift")
import golden_deep_linear as deep
from golden_deep_linear import EPSILON, EXAMPLES, LAYERS, LOOKS, RATE, STEPS, batch_norm, gradients, start, stepped

LAYER, BINS, LEVEL = 11, np.arange(-4, 4.25, 0.25), 3e4
MULTIPLES = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0]


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


NORMS = {"l1": lp_norm(1), "l2": lp_norm(2), "linf": lp_norm(np.inf)}


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
    deep.LAYERS = 4
    weights = [sines(10 * layer + 7, 3) for layer in range(1, 5)]
    loss, *slopes = gradients(weights, [np.ones(3)] * 4, [np.zeros(3)] * 4, sines(1, 8) + 1, sines(100, 8, 2.0), norm)
    deep.LAYERS = LAYERS
    return [loss, *(float(sum((slope**2).sum() for slope in of if slope is not None)) for of in slopes)]


def units(parameters, x, norm):
    """What each hidden layer hands on."""
    found, a = [], x
    for weight, gamma, beta in list(zip(*parameters))[:-1]:
        a = a @ weight.T
        if norm:
            a = gamma * norm(a)[0] + beta
        found.append(a)
    return found


def histogram(parameters, x, norm):
    values = units(parameters, x, norm)[LAYER - 1]
    return np.histogram(values, BINS)[0] / values.size


def changes(before, after):
    """Mean over the layers of Σ |change of the means| / Σ deviations, and of Σ |change of the variances| / Σ variances."""
    moments = lambda layers: [(a.mean(0), a.var(0)) for a in layers]
    pairs = list(zip(moments(before), moments(after)))
    of_means = [np.abs(new[0] - old[0]).sum() / np.sqrt(old[1]).sum() for old, new in pairs]
    of_variances = [np.abs(new[1] - old[1]).sum() / old[1].sum() for old, new in pairs]
    return np.mean(of_means), np.mean(of_variances)


def flat(slopes):
    return np.concatenate([slope.ravel() for of in slopes for slope in of if slope is not None])


def walk(parameters, loss_and_slopes, x, y, norm):
    """Largest β and range of the loss along the gradient."""
    slopes = loss_and_slopes[1:]
    here, losses, betas = flat(slopes), [], []
    for multiple in MULTIPLES:
        there = [[v if s is None else v - multiple * RATE * s for v, s in zip(*pair)] for pair in zip(parameters, slopes)]
        loss, *found = gradients(*there, x, y, norm)
        losses.append(loss)
        betas.append(np.linalg.norm(flat(found) - here) / (multiple * RATE * np.linalg.norm(here)))
    return max(betas), max(losses) - min(losses)


def run(name, seed):
    norm, gamma = NETS[name]
    x, y, (weights, gammas, betas) = start(seed)
    parameters, reached, seen, at_level = [weights, [gamma * of for of in gammas], betas], STEPS, [], None
    first = histogram(parameters, x, norm)
    for step in range(STEPS):
        found = gradients(*parameters, x, y, norm)
        if found[0] <= 1e4:
            reached = min(reached, step)
        # The chapter, too, looks for the level at every tenth step.
        if at_level is None and step % 10 == 0 and found[0] <= LEVEL:
            at_level = walk(parameters, found, x, y, norm)[0]
        after = stepped(parameters, found[1:], LAYERS)
        if step % (STEPS // LOOKS) == 0:
            change = changes(units(parameters, x, norm), units(after, x, norm))
            seen.append((*change, *walk(parameters, found, x, y, norm)))
        parameters = after
    seen = np.array(seen)
    values = {"final_train_loss": gradients(*parameters, x, y, norm)[0], "steps": reached}
    values |= {"input_mean_change": seen[:, 0].mean(), "input_variance_change": seen[:, 1].mean()}
    values |= {"gradient_beta": np.median(seen[:, 2]), "gradient_loss_range": np.median(seen[:, 3])}
    values |= {"beta_at_level": at_level, "moved": np.abs(histogram(parameters, x, norm) - first).sum() / 2}
    return {key: float(f"{value:.6g}") for key, value in values.items()}


LARGEST = np.abs(np.random.default_rng(1).standard_normal((20_000, EXAMPLES))).max(1).mean()
SIZES = {"l1": np.sqrt(np.pi / 2), "linf": 1 / LARGEST}
NETS = {"plain": (None, 1.0), "batch": (batch_norm, 1.0), **{name: (norm, 1.0) for name, norm in NORMS.items()}}
NETS |= {f"batch as large as {name}": (batch_norm, gamma) for name, gamma in SIZES.items()}

if __name__ == "__main__":
    check_gradients()
    six_digits = lambda value: float(f"{value:.6g}")
    found = {"small net": {name: [six_digits(value) for value in small_net(norm)] for name, norm in NORMS.items()}}
    found["gamma"] = {name: six_digits(gamma) for name, gamma in SIZES.items()}
    with multiprocessing.Pool(2) as pool:
        runs = pool.starmap(run, [(name, seed) for name in NETS for seed in range(5)], chunksize=1)
    found["runs"] = {
        name: {key: [run[key] for run in runs[5 * index : 5 * index + 5]] for key in runs[0]}
        for index, name in enumerate(NETS)
    }
    open("chapters/ch09_lp_norms/golden.json", "w").write(json.dumps(found, indent=1) + "\n")
