"""Outputs and gradients of PyTorch's normalizations in f64 (2.15; `pip install torch`), with a random upstream gradient, for
the tests of `src/norm`. Run from the repository root; writes src/norm/golden.json."""
import json
import torch
import torch.nn.functional as F
from torch.nn.utils import parametrizations

torch.manual_seed(0)
EPSILON = 1e-5
layers = {}


def random(*dims):
    return (torch.randn(dims, dtype=torch.float64) * 1000).round() / 1000


def array(tensor):
    return {"dims": list(tensor.shape), "values": tensor.detach().flatten().tolist()}


def pull(function, input, *parameters):
    """The output, and its gradients by the input and the parameters."""
    variables = [each.detach().clone().requires_grad_() for each in (input, *parameters)]
    output = function(*variables)
    upstream = random(*output.shape)
    gradients = torch.autograd.grad(output, variables, upstream)
    return {
        "input": array(input), "parameters": [*map(array, parameters)], "upstream": array(upstream),
        "output": array(output), "gradients": [*map(array, gradients)],
    }


def norm(name, function, *dims):
    layers[name] = pull(function, random(*dims), random(dims[1]), random(dims[1]))


def per_channel(values, x):
    return values.reshape(1, -1, *[1] * (x.dim() - 2))


def affine(normalized, weight, bias):
    return normalized * per_channel(weight, normalized) + per_channel(bias, normalized)


norm("batch", lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True, eps=EPSILON), 4, 3, 2, 2)
norm("layer", lambda x, w, b: F.layer_norm(x, (5,), w, b, EPSILON), 3, 5)
# PyTorch's own gain and bias belong to a value: those of a channel follow.
norm("layer of images", lambda x, w, b: affine(F.layer_norm(x, (3, 2, 4), eps=EPSILON), w, b), 2, 3, 2, 4)
norm("instance", lambda x, w, b: F.instance_norm(x, weight=w, bias=b, eps=EPSILON), 2, 3, 3, 2)
norm("group", lambda x, w, b: F.group_norm(x, 2, w, b, EPSILON), 3, 4, 2, 3)
# PyTorch's layer has no bias.
norm("rms", lambda x, w, b: F.rms_norm(x, (5,), w, EPSILON) + b, 3, 5)

# Weight normalization: the "input" is v, the parameter g.
for name, dims in ("weight", (4, 6)), ("weight of a convolution", (3, 2, 3, 3)):
    scale = random(dims[0], *[1] * (len(dims) - 1))
    layers[name] = pull(lambda v, g: torch._weight_norm(v, g, 0), random(*dims), scale)
    # PyTorch's module takes the same function.
    module = torch.nn.Linear(6, 4).double() if len(dims) == 2 else torch.nn.Conv2d(2, 3, 3).double()
    module.weight.data = random(*dims)
    plain = module.weight.detach().clone()
    assert torch.allclose(parametrizations.weight_norm(module).weight, plain)

# Spectral normalization: the "input" is W; kept are u before and u, v after one training step. As PyTorch's module starts
# with power iterations of its own, its vector is replaced. The newer one in `parametrizations` takes u before v.
for name, dims in ("spectral", (4, 6)), ("spectral of a convolution", (3, 2, 3, 3)):
    module = torch.nn.Linear(6, 4, bias=False) if len(dims) == 2 else torch.nn.Conv2d(2, 3, 3, bias=False)
    module = torch.nn.utils.spectral_norm(module.double())
    inputs = random(1, 6) if len(dims) == 2 else random(1, 2, 3, 3)
    module.weight_orig.data = random(*dims)
    start = F.normalize(random(dims[0]), dim=0)
    module.weight_u.copy_(start)
    module(inputs)
    output, upstream = module.weight, random(*dims)
    gradient, = torch.autograd.grad(output, module.weight_orig, upstream)
    kept = [start, module.weight_u.clone(), module.weight_v.clone()]
    module.eval()(inputs)
    layers[name] = {
        "input": array(module.weight_orig), "parameters": [], "upstream": array(upstream), "output": array(output),
        "gradients": [array(gradient)], "kept": [*map(array, kept)], "evaluated": array(module.weight),
    }

text = ",\n".join(f"{json.dumps(name)}: {json.dumps(layer)}" for name, layer in layers.items())
open("src/norm/golden.json", "w").write("{\n" + text + "\n}\n")
