"""Condition numbers of XᵀX/N with a bias column, by numpy. Run from the repository root; writes conditioning.json."""
import json
import numpy as np

golden = {}
for name in ("wine", "breast_cancer"):
    table = np.loadtxt(f"data/tabular/{name}.csv", delimiter=",", skiprows=1)[:, :-1]
    mean, deviation = table.mean(0), table.std(0)
    for prepared, x in (
        ("raw", table),
        ("centred", table - mean),
        ("scaled", table / deviation),
        ("standardised", (table - mean) / deviation),
    ):
        s = np.linalg.svd(np.hstack([x, np.ones((len(x), 1))]), compute_uv=False)
        golden[f"{name} {prepared}"] = (s[0] / s[-1]) ** 2
open("tests/golden/conditioning.json", "w").write(json.dumps(golden, indent=1) + "\n")
