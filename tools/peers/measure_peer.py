#!/usr/bin/env python3
"""One peer in a process of its own, for compare_peers.py: reads cases as lines of JSON and answers each with
the times of one round, as `ffn bench --on-request` does.

usage: measure_peer.py PEER THREADS SEED

The first line that is written says the peer's version, or why it is skipped. {"peak": true} beside a case
asks for the bytes of two runs instead: how far the process grew beyond what it held before, at its highest;
of a training step, the most that its tensors hold at once (the profiler's list of allocations).
"""
import json
import pathlib
import re
import sys
import time

# As round_plan() and thorough_plan() in src/ffn/bench/measure_run.cpp: the same plan for both sides.
WARM_UP, WARM_UP_S, SAMPLES, LONG_SAMPLES, LONG_MS, SAMPLED_S, SAMPLE_MS = 2, 0.1, 6, 2, 50, 0.3, 4
FIRST_WARM_UP, FIRST_WARM_UP_S = 3, 1
# Of the norm of each result: the limits that `ffn bench` sets, there for the largest error of the largest value.
TOLERANCES = {"f32": 1e-4, "bf16": 2e-2}
MOST_COPY_BYTES = 2 << 30


def sample(run, first):
    """Milliseconds of one run, a number per sample."""
    least, seconds = (FIRST_WARM_UP, FIRST_WARM_UP_S) if first else (WARM_UP, WARM_UP_S)
    started, warm = time.perf_counter(), 0
    while warm < least or time.perf_counter() - started < seconds:
        run()
        warm += 1
    once = timed(run, 1)
    repeats, wanted = max(1, int(SAMPLE_MS / once)), SAMPLES if once < LONG_MS else LONG_SAMPLES
    ms = []
    while len(ms) < wanted or sum(ms) * repeats < 1e3 * SAMPLED_S:
        ms.append(timed(run, repeats))
    return ms


def timed(run, repeats):
    started = time.perf_counter()
    for _ in range(repeats):
        run()
    return 1e3 * (time.perf_counter() - started) / repeats


def l3_bytes():
    """As read_cache_sizes(): from /sys, or 32 MiB."""
    for path in pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        try:
            if (path / "level").read_text().strip() == "3":
                found = re.match(r"(\d+)([KM]?)", (path / "size").read_text())
                return int(found.group(1)) << {"": 0, "K": 10, "M": 20}[found.group(2)]
        except OSError:
            continue
    return 32 << 20


class Product:
    def __init__(self, case, peer, generator):
        if case["bits"]:
            raise NoPeer("no product of integers")
        if not case["dtype"] == case["b"] == case["c"]:
            raise NoPeer(f"no product of {case['dtype']} by {case['b']}")
        self.case, form = case, case["form"]
        m, n, k = case["m"], case["n"], case["k"]
        self.a = self.numbers((k, m) if form == "tn" else (m, k), generator)
        self.b = self.numbers((n, k) if form == "nt" else (k, n), generator)
        self.product = peer.prepare_product(case, self.a, self.b)

    def numbers(self, shape, generator):
        return (2 * torch.rand(shape, generator=generator) - 1).to(DTYPES[self.case["dtype"]])

    def run(self):
        with torch.no_grad():
            return self.product()

    def verify(self):
        left, right = views_of(self.case, self.a.double(), self.b.double())
        require_close({"C": self.run()}, {"C": left @ right}, self.case["dtype"])


class Layer:
    def __init__(self, case, peer, generator):
        self.case, self.layer, self.next = case, layer_of(case), 0
        design, shapes, _ = self.layer
        self.backward = case["pass"] == "backward"
        shape = (case["rows"], case["width"])
        self.x, self.dy = self.numbers(shape, 1, generator), self.numbers(shape, 1, generator)
        self.choice = choice_of(design, case, generator)
        self.copies = [{name: self.numbers(s, s[-1] ** -0.5, generator).requires_grad_(self.backward)
                        for name, s in shapes.items()} for _ in range(self.copies_of(shapes))]
        self.x.requires_grad_(self.backward)
        self.forward = peer.prepare_layer(case, self.layer, self.copies)

    def numbers(self, shape, deviation, generator):
        return (deviation * torch.randn(shape, generator=generator)).to(DTYPES[self.case["dtype"]])

    def copies_of(self, shapes):
        """So many layers that all weights together are four times L3, as in layer_workload.cpp."""
        if not self.case["cold"]:
            return 1
        each = sum(torch.Size(s).numel() for s in shapes.values()) * DTYPES[self.case["dtype"]].itemsize
        return max(1, min(-(-4 * l3_bytes() // each), MOST_COPY_BYTES // each))

    def run(self):
        copy, self.next = self.next, (self.next + 1) % len(self.copies)
        return self.results(self.forward, self.x, self.copies[copy], copy, self.dy)

    def results(self, forward, x, weights, copy, dy):
        if not self.backward:
            with torch.no_grad():
                return {"y": forward(x, copy, self.choice)}
        y = forward(x, copy, self.choice)
        # Without experts' rows a weight has no gradient; ours is zero.
        gradients = torch.autograd.grad(y, [x, *weights.values()], dy, allow_unused=self.choice is not None)
        return dict(zip(["y", "dx", *weights], [y, *gradients]))

    def verify(self):
        """Everything of the case itself: y, dx and the gradient of every weight."""
        weights = {name: exact(w) for name, w in self.copies[0].items()}
        plain = self.layer[2]
        reference = self.results(lambda x, copy, choice: plain(x, weights.get, choice), exact(self.x), weights, 0,
                                 self.dy.double())
        self.next = 0
        require_close(self.run(), reference, self.case["dtype"])


class TrainStep:
    """Forward, backward and AdamW of a whole model. bf16 is autocast: weights and moments stay f32."""

    def __init__(self, case, peer, generator):
        if case["memory"] != "store":
            raise NoPeer("training steps that keep everything only")
        self.bf16 = case["dtype"] == "bf16"
        self.module, self.input, self.labels = make_model(case, generator)
        self.forward = peer.prepare_model(self.module)
        self.optimizer = torch.optim.AdamW(self.module.parameters(), lr=1e-3, weight_decay=0.05, fused=True)

    def loss(self, forward):
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            return F.cross_entropy(forward(self.input), self.labels)

    def run(self):
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(self.forward).backward()
        self.optimizer.step()

    def verify(self):
        """The loss of the weights as drawn, which is that of a guess, falls as they are trained on one batch."""
        before = float(self.loss(self.module).detach())
        for _ in range(3):
            self.run()
        after = float(self.loss(self.module).detach())
        if not after < before:
            raise NoPeer(f"WRONG RESULT: the loss goes from {before:.3f} to {after:.3f}")

    def peak_bytes(self):
        self.run()
        self.run()
        states = [s for state in self.optimizer.state.values() for s in state.values() if torch.is_tensor(s)]
        lasting = [*self.module.parameters(), *self.module.buffers(), self.input, self.labels, *states]
        self.optimizer.zero_grad(set_to_none=True)
        with torch.profiler.profile(profile_memory=True) as profile:
            self.run()
        live = peak = 0
        events = [e for e in profile.profiler.kineto_results.events() if e.name() == "[memory]"]
        for event in sorted(events, key=lambda e: e.start_ns()):
            live += event.nbytes()
            peak = max(peak, live)
        return sum(tensor.nbytes for tensor in lasting) + peak


def exact(tensor):
    return tensor.detach().double().requires_grad_(tensor.requires_grad)


def require_close(found, reference, dtype):
    for name, expected in reference.items():
        if expected is None:
            continue
        error = float((found[name].detach().double() - expected).norm() / expected.norm().clamp_min(1e-300))
        if not error <= TOLERANCES[dtype]:
            raise NoPeer(f"WRONG RESULT: {name} is off by {error:.1e} of its norm")


def made(case, peer, seed):
    generator = torch.Generator().manual_seed(seed)
    peer.how = ""
    return {"product": Product, "layer": Layer, "train": TrainStep}[case["kind"]](case, peer, generator)


def memory_field(name):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) << 10
    return None


def peak_bytes(case, peer, seed):
    """Weights, operands and two runs; nothing is verified, which would take more."""
    torch.mm(torch.ones(256, 256), torch.ones(256, 256))  # libraries make their buffers
    before = memory_field("VmRSS")
    work = made(case, peer, seed)
    if case["kind"] == "train":
        return work.peak_bytes()
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the highest so far is now
    work.run()
    work.run()
    return memory_field("VmHWM") - before


class Rounds:
    """The case asked for last stays ready."""

    def __init__(self, peer, seed):
        self.peer, self.seed, self.ready, self.work = peer, seed, None, None

    def answer(self, request):
        case = request["case"]
        try:
            if request.get("peak"):
                return {"bytes": peak_bytes(case, self.peer, self.seed)}
            first = self.ready != case["key"]
            if first:
                self.ready = self.work = None
                self.work = made(case, self.peer, self.seed)
                self.work.verify()
                self.ready = case["key"]
            return {"ms": sample(self.work.run, first), "how": self.peer.how}
        except NoPeer as reason:
            return {"skipped": str(reason)}
        except (RuntimeError, MemoryError) as error:
            return {"skipped": f"{type(error).__name__}: {str(error).splitlines()[0]}"}


def say(answer):
    # Libraries print what they please; the answers have the pipe for themselves.
    ANSWERS.write(json.dumps(answer) + "\n")
    ANSWERS.flush()


def main():
    name, threads, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    try:
        peer = PEERS[name]()
    except NoPeer as reason:
        return say({"skipped": str(reason)})
    say({"version": peer.version})
    rounds = Rounds(peer, seed)
    for line in sys.stdin:
        say(rounds.answer(json.loads(line)))


if __name__ == "__main__":
    ANSWERS, sys.stdout = sys.stdout, sys.stderr
    try:
        import torch
        import torch.nn.functional as F

        from torch_layers import NoPeer, choice_of, layer_of
        from torch_models import make_model
        from torch_peers import DTYPES, PEERS, views_of
    except ImportError as missing:
        say({"skipped": f"not installed: {missing}"})
    else:
        main()
