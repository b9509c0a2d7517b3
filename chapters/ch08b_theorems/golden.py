"""Chapter 8b a second time, in PyTorch and numpy, f64: derivatives by autograd instead of hyper-dual numbers, nets and random
numbers of its own, so that only what does not hang on a draw can agree. The counter-examples are the chapter's own. Run from the
repository root; writes golden.json."""
import json
import math
import numpy as np
import torch
from torch.autograd.functional import hessian

torch.set_num_threads(1)
torch.manual_seed(0)
torch.set_default_dtype(torch.float64)


def normalized(y):
    return (y - y.mean()) / y.var(unbiased=False).sqrt()


def gradient(f, x):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(f(x), x)[0]


class Unit:
    """One unit's batch y behind BatchNorm, and what the theorems speak of."""

    def __init__(self, loss, y, gamma, beta):
        self.m, self.gamma, self.y_hat = len(y), gamma, normalized(y)
        self.sigma = y.var(unbiased=False).sqrt()
        behind = lambda y: loss(gamma * normalized(y) + beta)
        z = gamma * self.y_hat + beta
        self.g, self.h = gradient(loss, z), hessian(loss, z)
        self.v, self.bent = gradient(behind, y), hessian(behind, y)
        self.scale = (gamma / self.sigma) ** 2
        self.along = self.g @ self.y_hat

    def lipschitz(self, factor):
        return self.scale * (self.g @ self.g - self.g.sum() ** 2 / self.m - factor * self.along**2)

    def curvature(self):
        pulled = self.gamma / (self.m * self.sigma**2) * self.along * (self.v @ self.v)
        return self.scale * (self.v @ self.h @ self.v), pulled

    def second_form(self):
        return self.scale * (self.g @ self.h @ self.g - self.along * (self.v @ self.v) / (self.m * self.gamma))

    def weights(self, plain, first, second):
        """Theorem 4.4's right side, with these factors before mu^2 and <g, y_hat>^2."""
        return self.scale * (plain - first * self.g.mean() ** 2 - second * self.along**2)


def by_hand():
    four = Unit(lambda z: (z[3] - z[0]) / 2, torch.tensor([-1.0, -1.0, 1.0, 1.0]), 1.0, 0.0)
    g, m = four.g @ four.g, four.m
    y = torch.tensor([-1.0, 0.0, 1.0]) * 0.5 * math.sqrt(1.5)
    bottom = normalized(y) + torch.tensor([-1.0, 2.0, -1.0])
    three = Unit(lambda z: ((z - bottom) ** 2).sum() / 2, y, 1.0, 0.0)
    return {
        "by hand/gradient": four.v @ four.v,
        "by hand/right_side": four.lipschitz(1 / m),
        "by hand/printed": four.lipschitz(1 / math.sqrt(m)),
        "by hand/weight_appendix": four.weights(g, m, 1 / m),
        "by hand/weight_printed": four.weights(g**2, m, 1.0),
        "by hand/weight_printed_of_norms": four.weights(g, m, 1.0),
        "second form/curvature": three.v @ three.bent @ three.v,
        "second form/right_side": three.second_form(),
    }


def random_units(count=100):
    """Largest differences; the part of the nets in which the printed forms do not hold."""
    worst = {"lipschitz": 0.0, "curvature": 0.0, "weights": 0.0}
    fails = {"printed": 0, "weights_printed": 0, "weights_printed_of_norms": 0, "own_gradient": 0}
    for number in range(count):
        m = 3 + number % 10
        mix, first, second = torch.randn(m, m), torch.randn(5, 1), torch.randn(3, 5)
        target = torch.randn(m, 3)

        def loss(z):  # couples the examples, is neither convex nor quadratic
            hidden = torch.tanh((mix @ z)[:, None] * first.T)
            return ((hidden @ second.T - target) ** 2).sum() / m

        y = torch.randn(()) + torch.exp(torch.randn(())) * torch.randn(m)
        unit = Unit(loss, y, float(torch.exp(torch.randn(()))), float(torch.randn(())))
        left, size = unit.v @ unit.v, unit.scale * (unit.g @ unit.g)
        worst["lipschitz"] = max(worst["lipschitz"], float((left - unit.lipschitz(1 / m)).abs() / size))
        fails["printed"] += bool(left > unit.lipschitz(1 / math.sqrt(m)) + 1e-9 * size)
        bent, pulled = unit.curvature()
        apart = (unit.v @ unit.bent @ unit.v - bent + pulled).abs() / (bent.abs() + pulled.abs())
        worst["curvature"] = max(worst["curvature"], float(apart))
        own = gradient(loss, y)
        own_right = unit.scale * (own @ own - own.sum() ** 2 / m - (own @ unit.y_hat) ** 2 / m)
        fails["own_gradient"] += bool(left > own_right)
        # The worst of all inputs: a random one with the gradient as its first left singular vector.
        size_of = lambda a, lam: (lam * torch.outer(a / a.norm(), normal).T @ a).square().sum()
        normal = torch.nn.functional.normalize(torch.randn(m + 1), dim=0)
        lam = float(torch.exp(torch.randn(())))
        plain, left = size_of(unit.g, lam), size_of(unit.v, lam)
        apart = (left - unit.weights(plain, lam**2 * m, lam**2 / m)).abs() / (unit.scale * plain)
        worst["weights"] = max(worst["weights"], float(apart))
        fails["weights_printed"] += bool(left > unit.weights(plain**2, m, lam**2) + 1e-9 * unit.scale * plain)
        fails["weights_printed_of_norms"] += bool(left > unit.weights(plain, m, lam**2) + 1e-9 * unit.scale * plain)
    parts = {f"{name}_fails": fails[name] / count for name in fails}
    return {f"random/{name}": value for name, value in {**worst, **parts}.items()}


def layers():
    """Observation 4.3 and Lemma 4.5 on least squares with a bias, and 4.3 without one."""
    rng = np.random.default_rng(0)
    x, t = rng.normal(1, 1, (20, 3)), rng.normal(1, 1, 20)
    xt, tt = torch.tensor(x), torch.tensor(t)
    normal = lambda p: ((p[3] * normalized(xt @ p[:3]) + p[4] - tt) ** 2).mean()
    with_ones = np.c_[x, np.ones(20)]
    best = np.linalg.lstsq(with_ones, t, rcond=None)[0]
    without = np.linalg.lstsq(x, t, rcond=None)[0]
    configured = lambda w, b: torch.tensor([*w, (x @ w).std(), (x @ w).mean() + b])
    start = rng.normal(size=3)
    start *= np.sign(start @ best[:3])
    w = best[:3]
    nearest = w * (w @ start) / (w @ w)
    scaled = configured(w, best[3])
    scaled[:3] = torch.tensor(nearest)
    bound = (start - w) @ (start - w) - (w @ w - w @ start) ** 2 / (w @ w)
    return {
        "layers/gradient_at_minimum": float(gradient(normal, configured(w, best[3])).norm()),
        "layers/gradient_without_bias": float(gradient(normal, configured(without, 0.0))[:3].norm()),
        "layers/scaled_gradient": float(gradient(normal, scaled).norm()),
        "layers/distance": float(abs((start - nearest) @ (start - nearest) - bound)),
    }


def growth(relu, batch, width=512, depth=40, seeds=5):
    """Of the squared gradient a layer, over the same layers as the chapter's."""
    rates = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        x, passed = rng.normal(size=(batch, width)), []
        for _ in range(depth):
            w = rng.normal(size=(width, width)) * math.sqrt((2 if relu else 1) / width)
            h = x @ w.T
            sigma = h.std(0)
            y = (h - h.mean(0)) / sigma
            passed.append((w, sigma, y))
            x = np.maximum(y, 0) if relu else y
        back, squares = rng.normal(size=(batch, width)), []
        for w, sigma, y in reversed(passed):
            g = back * (y > 0) if relu else back
            v = (g - g.mean(0) - y * (g * y).mean(0)) / sigma
            squares.append((v**2).sum())
            back = v @ w
        squares.reverse()
        first, last = depth // 4, depth - 1 - depth // 8
        rates.append(math.log(squares[first] / squares[last]) / (last - first))
    return math.exp(np.mean(rates))


def mean_field(relu, batch, draws=400_000):
    """The growth a layer by drawing from the mean field itself: y_hat on the sphere, a gradient orthogonal to 1, a variance."""
    rng = np.random.default_rng(1)
    centred = lambda: (lambda n: n - n.mean(1, keepdims=True))(rng.normal(size=(draws, batch)))
    y = centred()
    y *= math.sqrt(batch) / np.linalg.norm(y, axis=1, keepdims=True)
    x = np.maximum(y, 0) if relu else y
    g = centred()
    before = (g**2).sum(1).mean()
    g = g * (y > 0) if relu else g
    kept = ((g - g.mean(1, keepdims=True) - y * (g * y).mean(1, keepdims=True)) ** 2).sum(1).mean()
    # Outputs h = sum of w x over many units: normal, with the covariance of x over the batch.
    gain = 2 if relu else 1
    covariance = gain * x.T @ x / draws
    h = rng.normal(size=(draws, batch)) @ np.linalg.cholesky(covariance + 1e-12 * np.eye(batch)).T
    return gain * kept / before * (1 / h.var(1)).mean()


golden = {name: float(value) for name, value in by_hand().items()} | random_units() | layers()
for name, relu in (("linear", False), ("relu", True)):
    for batch in (16, 64):
        golden[f"{name}/growth_at_{batch}"] = growth(relu, batch)
    golden[f"{name}, mean field/growth_at_16"] = mean_field(relu, 16)
open("chapters/ch08b_theorems/golden.json", "w").write(json.dumps(golden, indent=1) + "\n")
