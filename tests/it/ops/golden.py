"""Outputs of operations and their gradients with a random upstream gradient, moving averages and steps of SGD, by PyTorch
in f64 (2.15; `pip install torch`). Writes golden.json."""
import json
from pathlib import Path
import torch
import torch.nn.functional as F

torch.manual_seed(0)
EPSILON = 1e-5


def random(*dims):
    return (torch.randn(dims, dtype=torch.float64) * 1000).round() / 1000


def coarse(*dims):
    """Returns −1, 0 and 1 at random: many zeros and equal maxima."""
    return torch.randint(-1, 2, dims).double()


def array(tensor):
    return {"dims": list(tensor.shape), "values": tensor.flatten().tolist()}


pulled = []


def pull(name, op, function, *inputs):
    inputs = [each.requires_grad_() for each in inputs]
    output = function(*inputs)
    upstream = random(*output.shape)
    gradients = torch.autograd.grad(output, inputs, upstream)
    pulled.append({
        "name": name, "op": op, "inputs": [*map(array, inputs)], "upstream": array(upstream), "output": array(output),
        "gradients": [*map(array, gradients)],
    })


for name, x in ("relu", random(3, 4)), ("relu at 0", coarse(3, 4)):
    pull(name, {"relu": {}}, F.relu, x)
pull("sigmoid", {"sigmoid": {}}, torch.sigmoid, 3 * random(3, 4))
pull("linear", {"linear": {}}, F.linear, random(4, 5), random(3, 5), random(3))
for stride, padding, image, kernel in (1, 0, (5, 4), (3, 2)), (2, 1, (6, 5), (3, 3)), (3, 2, (5, 7), (2, 3)):
    pull(
        f"conv2d, stride {stride}, padding {padding}",
        {"conv2d": {"stride": stride, "padding": padding}},
        lambda x, weight, bias: F.conv2d(x, weight, bias, stride, padding),
        random(2, 2, *image), random(3, 2, *kernel), random(3),
    )
for name, x in ("", random(2, 2, 5, 6)), (" with equal maxima", coarse(2, 2, 4, 5)):
    pull("max_pool2d" + name, {"max_pool2d": {"window": 2}}, lambda x: F.max_pool2d(x, 2), x)
pull("avg_pool2d", {"avg_pool2d": {"window": 3}}, lambda x: F.avg_pool2d(x, 3), random(2, 2, 6, 7))

standard_deviation = {"scale": "standard_deviation"}
for dims in (5, 3), (3, 2, 2, 3):
    pull(
        f"batch_norm of {dims}", {"batch_norm": standard_deviation},
        lambda x, weight, bias: F.batch_norm(x, None, None, weight, bias, training=True, eps=EPSILON),
        random(*dims), random(dims[1]), random(dims[1]),
    )
for name, groups, dims, function in (
    ("group_norm", 2, (2, 4, 2, 3), lambda x, weight, bias: F.group_norm(x, 2, weight, bias, EPSILON)),
    ("group_norm of rows", 2, (3, 6), lambda x, weight, bias: F.group_norm(x, 2, weight, bias, EPSILON)),
    ("layer_norm", 1, (3, 5), lambda x, weight, bias: F.layer_norm(x, (5,), weight, bias, EPSILON)),
    ("instance_norm", 3, (2, 3, 3, 2), lambda x, weight, bias: F.instance_norm(x, weight=weight, bias=bias, eps=EPSILON)),
):
    op = {"group_norm": {"groups": groups, **standard_deviation}}
    pull(name, op, function, random(*dims), random(dims[1]), random(dims[1]))

# By the definition, because PyTorch has no such operation.
for scale, statistic in (
    ("mean_absolute", lambda x: x.abs().mean((0, 2), keepdim=True)),
    ("root_mean_square", lambda x: x.square().mean((0, 2), keepdim=True).sqrt()),
    ("max_absolute", lambda x: x.abs().amax((0, 2), keepdim=True)),
):
    def normalize(x, weight, bias):
        centered = x - x.mean((0, 2), keepdim=True)
        return centered / (statistic(x) + EPSILON) * weight[:, None] + bias[:, None]

    for name, x in ("", random(3, 2, 4)), (" with zeros and equal maxima", coarse(3, 2, 4)):
        pull(scale + name, {"batch_norm": {"scale": scale}}, normalize, x, random(2), random(2))

classes = [1, 0, 3, 3]
pull(
    "cross_entropy", {"cross_entropy": {"classes": classes}},
    lambda x: F.cross_entropy(x, torch.tensor(classes)), 3 * random(4, 5),
)

layer = torch.nn.BatchNorm2d(2).double()
layer.weight.data, layer.bias.data, x = random(2), random(2), 2 * random(2, 2, 2, 3) + 1
layer(x)
running = {
    "input": x, "weight": layer.weight, "bias": layer.bias, "mean": layer.running_mean, "variance": layer.running_var,
    "evaluated": layer.eval()(x),
}

sgd = []
for momentum, decay in (0.0, 0.0), (0.0, 0.02), (0.9, 0.0), (0.9, 0.02):
    weight = random(2, 3).requires_grad_()
    steps = {"learning_rate": 0.1, "momentum": momentum, "weight_decay": decay, "start": array(weight)}
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=momentum, weight_decay=decay)
    gradients, weights = [random(2, 3) for _ in range(3)], []
    for gradient in gradients:
        weight.grad = gradient
        optimizer.step()
        weights.append(array(weight))
    sgd.append({**steps, "gradients": [*map(array, gradients)], "weights": weights})

lines = lambda cases: ",\n".join(json.dumps(case) for case in cases)
running = json.dumps({name: array(tensor) for name, tensor in running.items()})
text = f'{{"pulled": [\n{lines(pulled)}\n],\n"running": {running},\n"sgd": [\n{lines(sgd)}\n]}}\n'
Path(__file__).with_name("golden.json").write_text(text)
