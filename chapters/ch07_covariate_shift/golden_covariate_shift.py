"""Definition 2.1 of Santurkar et al. 2018 in numpy, f64, on a small deep linear net with and without BatchNorm, with the
gradients written out by hand. Weights and data are sines, so that both sides make the same. Run from the repository root;
writes golden_covariate_shift.json. A second."""
import json
import numpy as np

LAYERS, WIDTH, EXAMPLES, EPSILON = 4, 3, 8, 1e-5


def sines(start, shape):
    return np.sin(np.arange(start, start + np.prod(shape), dtype=np.float64)).reshape(shape)


def forward(weights, x, y, gammas, betas, norm):
    """The loss, ½ Σ squares, and what the backward pass needs."""
    kept, a = [], x
    for layer, w in enumerate(weights):
        z = a @ w.T
        if norm and layer + 1 < LAYERS:
            centred = z - z.mean(0)
            inverse = 1 / np.sqrt((centred**2).mean(0) + EPSILON)
            kept.append((a, centred * inverse, inverse))
            a = gammas[layer] * centred * inverse + betas[layer]
        else:
            kept.append((a, None, None))
            a = z
    return 0.5 * ((a - y) ** 2).sum(), kept, a - y


def gradients(weights, x, y, gammas, betas, norm):
    _, kept, g = forward(weights, x, y, gammas, betas, norm)
    of_weights, of_gammas, of_betas = [None] * LAYERS, [None] * LAYERS, [None] * LAYERS
    for layer in reversed(range(LAYERS)):
        a, hat, inverse = kept[layer]
        if hat is not None:
            of_gammas[layer], of_betas[layer] = (g * hat).sum(0), g.sum(0)
            g = g * gammas[layer]
            g = inverse * (g - g.mean(0) - hat * (g * hat).mean(0))
        of_weights[layer] = g.T @ a
        g = g @ weights[layer]
    return of_weights, of_gammas, of_betas


def shifts(norm, rate):
    x, y = sines(1, (EXAMPLES, WIDTH)), 2 * sines(100, (EXAMPLES, WIDTH))
    weights = [sines(10 * (layer + 1) + 7, (WIDTH, WIDTH)) for layer in range(LAYERS)]
    gammas, betas = [np.ones(WIDTH)] * LAYERS, [np.zeros(WIDTH)] * LAYERS
    of_weights, of_gammas, of_betas = gradients(weights, x, y, gammas, betas, norm)
    found = []
    for i in range(LAYERS):
        step = lambda values, slopes: [
            v - rate * s if layer < i and s is not None else v for layer, (v, s) in enumerate(zip(values, slopes))
        ]
        moved = step(weights, of_weights), x, y, step(gammas, of_gammas), step(betas, of_betas)
        g, after = of_weights[i], gradients(*moved, norm)[0][i]
        cosine = (g * after).sum() / np.linalg.norm(g) / np.linalg.norm(after)
        found.append([np.linalg.norm(g - after), cosine])
    # The gradients by hand against central differences of the loss.
    for layer in range(LAYERS):
        for index in np.ndindex(WIDTH, WIDTH):
            moved = [[w.copy() for w in weights] for _ in range(2)]
            moved[0][layer][index] += 1e-5
            moved[1][layer][index] -= 1e-5
            losses = [forward(w, x, y, gammas, betas, norm)[0] for w in moved]
            assert abs((losses[0] - losses[1]) / 2e-5 - of_weights[layer][index]) < 1e-5 * np.abs(of_weights[layer]).max()
    return found


found = {"none": shifts(False, 0.01), "batch": shifts(True, 0.01)}
open("chapters/ch07_covariate_shift/golden_covariate_shift.json", "w").write(json.dumps(found, indent=1) + "\n")
