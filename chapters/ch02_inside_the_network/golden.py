"""Golden values for chapter 2, by PyTorch's autograd in f64: ‖∂ logits of example i / ∂ inputs of example j‖ of a net
with one hidden layer, x → sigmoid(norm(x W1ᵀ)) W2ᵀ, without a norm, normalized over the batch, and over the units.

    python chapters/ch02_inside_the_network/golden.py > chapters/ch02_inside_the_network/golden.json
"""

import json

import torch

torch.manual_seed(2)
EXAMPLES, INPUTS, UNITS, LOGITS = 5, 4, 6, 3
x = torch.randn(EXAMPLES, INPUTS, dtype=torch.float64)
w1 = torch.randn(UNITS, INPUTS, dtype=torch.float64)
w2 = torch.randn(LOGITS, UNITS, dtype=torch.float64)


def standardised(z, axis):
    return (z - z.mean(axis, keepdim=True)) / z.var(axis, correction=0, keepdim=True).sqrt()


NORMS = {
    "nothing": lambda z: z,
    "batch": lambda z: standardised(z, 0),
    "layer": lambda z: standardised(z, 1),
}


def norms(norm):
    net = lambda x: torch.sigmoid(norm(x @ w1.T)) @ w2.T
    jacobian = torch.autograd.functional.jacobian(net, x)  # [example, logit, other, input]
    return jacobian.square().sum((1, 3)).sqrt()


print(
    json.dumps(
        {
            "inputs": x.tolist(),
            "first": w1.tolist(),
            "second": w2.tolist(),
            "norms": {name: norms(norm).flatten().tolist() for name, norm in NORMS.items()},
        },
        indent=1,
    )
)
