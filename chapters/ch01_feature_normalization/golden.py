"""Condition numbers of XᵀX/N with a bias column, and the steps of gradient descent on the class to 1 % of the initial
excess loss at 0.999 times the largest stable learning rate, by numpy. Run from the repository root; writes
golden.json in this folder."""
import json
import numpy as np

golden = {}
for name in ("wine", "breast_cancer"):
    values = np.loadtxt(f"data/tabular/{name}.csv", delimiter=",", skiprows=1)
    table, target = values[:, :-1], values[:, -1]
    mean, deviation = table.mean(0), table.std(0)
    for prepared, x in (
        ("raw", table),
        ("centred", table - mean),
        ("scaled", table / deviation),
        ("standardised", (table - mean) / deviation),
    ):
        x = np.hstack([x, np.ones((len(x), 1))])
        u, s, _ = np.linalg.svd(x / np.sqrt(len(x)), full_matrices=False)
        golden[f"{name} {prepared}"] = (s[0] / s[-1]) ** 2
        excess, factor = (u.T @ target) ** 2, (1 - 0.999 * 2 / s[0] ** 2 * s**2) ** 2
        low, high = 0, 2**40
        while low < high:
            middle = (low + high) // 2
            if (excess * factor**middle).sum() <= 0.01 * excess.sum():
                high = middle
            else:
                low = middle + 1
        golden[f"{name} {prepared} steps"] = low
open("chapters/ch01_feature_normalization/golden.json", "w").write(json.dumps(golden, indent=1) + "\n")
