"""The programs that can be measured beside ours: how each runs a product or a layer.

A peer has prepare_product(case, a, b) -> function without arguments that returns C,
prepare_layer(case, layer, copies) -> function (x, number of the copy) -> y, where layer is
(design, shapes, forward) and copies are the weights by name, several for cold cases, and
prepare_model(module) -> the module as it is to be called in training. Each throws NoPeer.
"""
import ctypes
import ctypes.util
import glob
import os

import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

from torch_layers import NoPeer

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def backward(case):
    return case["pass"] == "backward"


def views_of(case, a, b):
    """A [M, K] and B [K, N] over the buffers of the case's form."""
    return (a.t() if case["form"] == "tn" else a), (b.t() if case["form"] == "nt" else b)


class Eager:
    """PyTorch, operation by operation; products into a buffer that is there."""

    version = f"torch {torch.__version__}"

    def __init__(self):
        self.how = ""

    def prepare_product(self, case, a, b):
        left, right = views_of(case, a, b)
        c = torch.empty(case["m"], case["n"], dtype=a.dtype)
        return lambda: torch.mm(left, right, out=c)

    def prepare_layer(self, case, layer, copies):
        _, _, forward = layer

        def run(x, copy, choice):
            return forward(x, copies[copy].get, choice)

        if case["memory"] != "recompute":
            return run
        return lambda x, copy, choice: checkpoint(run, x, copy, choice, use_reentrant=False)

    def prepare_model(self, module):
        return module


class Frozen(torch.nn.Module):
    """A function with its weights, as a module whose weights the compiler may lay out anew."""

    def __init__(self, weights, forward):
        super().__init__()
        for name, weight in weights.items():
            self.register_parameter(name, torch.nn.Parameter(weight, requires_grad=False))
        self.function = forward

    def forward(self, x, choice):
        return self.function(x, lambda name: getattr(self, name, None), choice)


class Compiled:
    """torch.compile with max-autotune, or with its defaults where that fails. Weights are frozen in inference
    with one set of them; several would be compiled one by one."""

    version = f"torch {torch.__version__}, torch.compile"

    def __init__(self):
        import torch._inductor.config as inductor

        self.inductor = inductor
        self.how = ""

    def compiled(self, function, frozen, *example):
        """Of the function, compiled and run once."""
        for mode in ("max-autotune", "default"):
            torch._dynamo.reset()
            self.inductor.freezing = frozen
            made = torch.compile(function, mode=mode, dynamic=False)
            try:
                made(*example)
            except Exception as error:  # the compiler's own errors have no common class
                reason = f"{type(error).__name__}: {str(error).splitlines()[0]}"
                continue
            self.how = f"mode {mode}" + (", frozen" if frozen else "")
            return made
        raise NoPeer(f"does not compile: {reason}")

    def prepare_product(self, case, a, b):
        if not case["prepared"]:
            raise NoPeer("a plain product is that of torch-eager")
        left, right = views_of(case, a, b)
        net = Frozen({"b": right.t()}, lambda x, w, choice: F.linear(x, w("b")))
        with torch.no_grad():
            made = self.compiled(net.eval(), True, left, None)
        return lambda: made(left, None)

    def prepare_layer(self, case, layer, copies):
        design, _, forward = layer
        if design.name in ("moe", "deepseek-moe"):
            raise NoPeer("shapes of an expert's rows depend on the choice")
        x = torch.zeros(case["rows"], case["width"], dtype=DTYPES[case["dtype"]])
        if not backward(case) and len(copies) == 1:
            with torch.no_grad():
                made = self.compiled(Frozen(copies[0], forward).eval(), True, x, None)
            return lambda x, copy, choice: made(x, None)

        def whole(x, weights):
            return forward(x, weights.get, None)

        run = whole
        if case["memory"] == "recompute":
            run = lambda x, weights: checkpoint(whole, x, weights, use_reentrant=False)
        with torch.set_grad_enabled(backward(case)):
            made = self.compiled(run, False, x.requires_grad_(backward(case)), copies[0])
        return lambda x, copy, choice: made(x, copies[copy])

    def prepare_model(self, module):
        self.how = "mode max-autotune"
        return torch.compile(module, mode="max-autotune")


class OneDnn:
    """oneDNN's products with activation and multiplication at their end, weights in its own layout: the
    operations that torch.compile would choose, called directly. Inference only."""

    version = f"oneDNN within torch {torch.__version__}"
    ATTRIBUTES = {"relu": ("relu", [], ""), "gelu": ("gelu", [], "none"), "gelu_tanh": ("gelu", [], "tanh"),
                  "silu": ("swish", [], ""), "identity": ("none", [], "")}

    def __init__(self):
        self.how = ""
        if not torch.backends.mkldnn.is_available():
            raise NoPeer("not in this build of torch")
        self.linear = torch.ops.mkldnn._linear_pointwise

    def packed(self, weight, rows):
        if weight.dtype == torch.bfloat16 and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
            raise NoPeer("no bf16 on this processor")
        return torch.ops.mkldnn._reorder_linear_weight(weight, rows)

    def prepare_product(self, case, a, b):
        left, right = views_of(case, a, b)
        weight = self.packed(right.t(), case["m"])
        if not case["prepared"]:
            weight = right.t()
        return lambda: self.linear(left, weight, None, "none", [], "")

    def prepare_layer(self, case, layer, copies):
        design, shapes, _ = layer
        if backward(case) or design.name not in ("mlp", "glu", "tiny"):
            raise NoPeer("plain and gated layers in inference only")
        if design.words[0] not in self.ATTRIBUTES:
            raise NoPeer(f"no activation {design.words[0]}")
        act = self.ATTRIBUTES[design.words[0]]
        packed = [{name: self.packed(w[name], case["rows"]) for name, shape in shapes.items() if len(shape) == 2}
                  for w in copies]
        return lambda x, copy, choice: self.layer(design, act, x, packed[copy], copies[copy])

    def layer(self, design, act, x, packed, plain):
        def apply(x, name, attribute):
            return self.linear(x, packed[name], plain.get(name + "_bias"), *attribute)

        none = self.ATTRIBUTES["identity"]
        if design.name == "mlp":
            return apply(apply(x, "up", act), "down", none)
        if design.name == "glu":
            gate = apply(x, "gate", act)
            hidden = self.linear.binary(x, gate, packed["up"], plain.get("up_bias"), "mul")
            return apply(hidden, "down", none)
        for i in range(len(packed) - 1):
            x = apply(x, f"map{i}", act)
        return apply(x, f"map{len(packed) - 1}", none)

    def prepare_model(self, module):
        raise NoPeer("plain and gated layers in inference only")


class OpenBlas:
    """cblas_sgemm of the system's OpenBLAS, or of the one that numpy brings."""

    ROW_MAJOR, NO, YES = 101, 111, 112

    def __init__(self):
        self.how = ""
        found = ctypes.util.find_library("openblas")
        if found:
            self.load(found, "openblas_set_num_threads", "cblas_sgemm", ctypes.c_int)
            self.version = "OpenBLAS of the system"
            return
        try:
            import numpy
        except ImportError:
            raise NoPeer("not installed")
        beside = os.path.join(os.path.dirname(numpy.__file__), "..", "numpy.libs", "libscipy_openblas64_*.so")
        for path in glob.glob(beside):
            self.load(path, "scipy_openblas_set_num_threads64_", "scipy_cblas_sgemm64_", ctypes.c_int64)
            self.version = f"OpenBLAS within numpy {numpy.__version__}"
            return
        raise NoPeer("not installed")

    def load(self, path, set_threads, sgemm, size):
        library = ctypes.CDLL(path)
        self.set_threads, self.sgemm = getattr(library, set_threads), getattr(library, sgemm)
        self.sgemm.restype = None
        pointer, number = ctypes.c_void_p, ctypes.c_float
        self.sgemm.argtypes = [ctypes.c_int] * 3 + [size] * 3 + [number, pointer, size, pointer, size, number,
                                                                 pointer, size]

    def prepare_product(self, case, a, b):
        if a.dtype != torch.float32:
            raise NoPeer("f32 only")
        if case["prepared"]:
            raise NoPeer("no prepared weights")
        self.set_threads(torch.get_num_threads())
        c = torch.empty(case["m"], case["n"])
        flags = (self.ROW_MAJOR, self.YES if case["form"] == "tn" else self.NO,
                 self.YES if case["form"] == "nt" else self.NO)
        arguments = (*flags, case["m"], case["n"], case["k"], 1.0, a.data_ptr(), a.stride(0), b.data_ptr(),
                     b.stride(0), 0.0, c.data_ptr(), c.stride(0))

        def run():
            self.sgemm(*arguments)
            return c

        return run

    def prepare_layer(self, case, layer, copies):
        raise NoPeer("products only")

    def prepare_model(self, module):
        raise NoPeer("products only")


PEERS = {"torch-eager": Eager, "torch-compiled": Compiled, "onednn": OneDnn, "openblas": OpenBlas}
