"""Feed-forward layers as one writes them in PyTorch: functions of x and named weights, for any dtype.

A layer is (shapes, forward): shapes names every weight, forward(x, w, choice) takes them by w(name), which
is None for a bias that the layer lacks; choice [N, K] are the experts fixed from outside.
"""
import functools

import torch
import torch.nn.functional as F

from bench_cases import Design


class NoPeer(Exception):
    """Why this peer cannot take the case."""


ACTIVATIONS = {
    "relu": F.relu, "gelu": F.gelu, "gelu_tanh": functools.partial(F.gelu, approximate="tanh"), "silu": F.silu,
    "sigmoid": torch.sigmoid, "tanh": torch.tanh, "identity": lambda x: x, "relu2": lambda x: F.relu(x).square(),
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
}


def activation_of(design):
    if not design.words or design.words[0] not in ACTIVATIONS:
        raise NoPeer(f"no activation of '{design.name}' written here")
    return ACTIVATIONS[design.words[0]]


def only_options(design, *known):
    for key in design.options:
        if key not in known:
            raise NoPeer(f"option {key} of '{design.name}' not written here")


def add_map(shapes, name, out, inner, bias):
    shapes[name] = (out, inner)
    if bias:
        shapes[name + "_bias"] = (out,)


def apply_map(x, w, name):
    return F.linear(x, w(name), w(name + "_bias"))


def with_bias(design, case):
    return design.options.get("bias", str(case["bias"]).lower()) == "true"


def mlp(design, case, prefix=""):
    only_options(design, "hidden", "multiple", "bias")
    act, width, hidden = activation_of(design), case["width"], design.hidden(case["width"])
    shapes, bias = {}, with_bias(design, case)
    up, down = prefix + "up", prefix + "down"
    add_map(shapes, up, hidden, width, bias)
    add_map(shapes, down, width, hidden, bias)

    def forward(x, w, choice=None):
        return apply_map(act(apply_map(x, w, up)), w, down)

    return shapes, forward


def glu(design, case, prefix=""):
    only_options(design, "hidden", "multiple", "bias")
    act, width, hidden = activation_of(design), case["width"], design.hidden(case["width"])
    shapes, bias = {}, with_bias(design, case)
    gate, up, down = prefix + "gate", prefix + "up", prefix + "down"
    add_map(shapes, gate, hidden, width, bias)
    add_map(shapes, up, hidden, width, bias)
    add_map(shapes, down, width, hidden, bias)

    def forward(x, w, choice=None):
        return apply_map(act(apply_map(x, w, gate)) * apply_map(x, w, up), w, down)

    return shapes, forward


def tiny(design, case, prefix=""):
    only_options(design, "hidden", "layers")
    act, width = activation_of(design), case["width"]
    hidden, layers = design.number("hidden", 64), design.number("layers", 2)
    widths = [width] + [hidden] * layers + [width]
    shapes = {f"map{i}": (out, inner) for i, (inner, out) in enumerate(zip(widths, widths[1:]))}

    def forward(x, w, choice=None):
        for i in range(layers):
            x = act(F.linear(x, w(f"map{i}")))
        return F.linear(x, w(f"map{layers}"))

    return shapes, forward


INNER = {"mlp": mlp, "glu": glu}


def inner_of(design):
    if design.inner is None or design.inner.name not in INNER:
        raise NoPeer(f"what stands in '{design.name}' is not written here")
    return INNER[design.inner.name]


def experts_of(design, case):
    """Shapes of E layers, and the sum over the chosen ones, expert after expert on its own rows."""
    count, make, shapes, layers = int(design.words[0]), inner_of(design), {}, []
    for e in range(count):
        own, forward = make(design.inner, case, f"expert{e}_")
        shapes |= own
        layers.append(forward)

    def mixed(x, w, choice, weights):
        y = torch.zeros_like(x)
        for e in range(count):
            row, place = torch.where(choice == e)
            if len(row) == 0:
                continue
            part = layers[e](x.index_select(0, row), w) * weights[row, place].unsqueeze(1)
            y.index_add_(0, row, part.to(y.dtype))
        return y

    return shapes, mixed


def probabilities(x, w, choice):
    """Softmax over the experts, in f32 at least, of the chosen ones."""
    wide = x if x.dtype == torch.float64 else x.float()
    scores = torch.softmax(F.linear(wide, w("router").to(wide.dtype)), -1)
    return scores.gather(1, choice)


def moe(design, case):
    only_options(design, "top", "balance")
    shapes, mixed = experts_of(design, case)
    shapes["router"] = (int(design.words[0]), case["width"])

    def forward(x, w, choice):
        chosen = probabilities(x, w, choice)
        return mixed(x, w, choice, chosen / chosen.sum(1, keepdim=True))

    return shapes, forward


def deepseek_moe(design, case):
    only_options(design, "top", "shared", "balance")
    shapes, mixed = experts_of(design, case)
    shapes["router"] = (int(design.words[0]), case["width"])
    shared = Design(f"{design.inner.name}({', '.join(design.inner.words)})")
    shared.options = dict(design.inner.options)
    shared.options["hidden"] = design.number("shared", 1) * design.inner.hidden(case["width"])
    own, beside = inner_of(design)(shared, case, "shared_")
    shapes |= own

    def forward(x, w, choice):
        return beside(x, w) + mixed(x, w, choice, probabilities(x, w, choice))

    return shapes, forward


def soft_moe(design, case):
    """docs/designs/soft-moe.md; the experts' maps in batches of matrices."""
    only_options(design, "slots")
    only_options(design.inner, "hidden")
    if design.inner.name != "glu" or case["bias"]:
        raise NoPeer("soft-moe is written here around glu without biases")
    act, width, hidden = activation_of(design.inner), case["width"], design.inner.hidden(case["width"])
    count, slots, tokens = int(design.words[0]), design.number("slots", 1), case["tokens"]
    shapes = {"slots": (count * slots, width), "scale": (1,), "gate": (count, hidden, width),
              "up": (count, hidden, width), "down": (count, width, hidden)}

    def normal(v):
        return v * torch.rsqrt(v.square().sum(-1, keepdim=True) + 1e-6)

    def forward(x, w, choice=None):
        x = x.view(-1, tokens, width)  # [B, T, D]
        logits = normal(x) @ (w("scale") * normal(w("slots"))).t()  # [B, T, E·P]
        mixed = logits.softmax(1).transpose(1, 2) @ x  # [B, E·P, D]
        rows = mixed.view(len(x), count, slots, width).transpose(0, 1).reshape(count, -1, width)
        gated = act(rows @ w("gate").transpose(1, 2)) * (rows @ w("up").transpose(1, 2))
        out = gated @ w("down").transpose(1, 2)  # [E, B·P, D]
        out = out.view(count, len(x), slots, width).transpose(0, 1).reshape(len(x), -1, width)
        return (logits.softmax(2) @ out).view(-1, width)

    return shapes, forward


DESIGNS = {"mlp": mlp, "glu": glu, "tiny": tiny, "moe": moe, "deepseek-moe": deepseek_moe, "soft-moe": soft_moe}


def layer_of(case):
    design = Design(case["design"])
    if design.name not in DESIGNS:
        raise NoPeer(f"design '{design.name}' not written here")
    return design, *DESIGNS[design.name](design, case)


def choice_of(design, case, generator):
    """Experts of every row [N, K], drawn without repetition with the case's shares; None without any."""
    if case["routing"] == "none":
        return None
    count, top = int(design.words[0]), design.number("top", 6 if design.name == "deepseek-moe" else 2)
    shares = torch.ones(count)
    if case["routing"] == "zipf":
        shares /= torch.arange(1, count + 1)
    return torch.multinomial(shares.expand(case["rows"], count), top, generator=generator)
