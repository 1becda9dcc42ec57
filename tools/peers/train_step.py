#!/usr/bin/env python3
"""A training step of deit-tiny (32x32, patch 4) beside PyTorch on the CPU, alternated in one run.

usage: train_step.py [--rounds 5] [--batch 128] [--dtype f32|bf16] [--build build/release]

Each round: our program, PyTorch eager, PyTorch compiled (max-autotune, unless --no-compile), each for
`steps` steps after a warm-up. bf16 is the session's own (bf16 weights beside f32 masters) against
PyTorch's autocast. Prints medians with their spread, the ratio of medians per round, the seconds of the
first step (compilation is in it), and the memory of each: ours is the ledger's peak (equal to the plan,
or the program fails), PyTorch's the highest sum of live allocations of one step from its profiler,
parameters, gradients and moments included.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import time

import torch
import torch.nn.functional as functional

WIDTH, LAYERS, HEADS, TOKENS, CLASSES, PATCH, SIDE = 192, 12, 3, 64, 100, 4, 32


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = (torch.nn.LayerNorm(WIDTH, eps=1e-6) for _ in range(2))
        self.qkv, self.out = torch.nn.Linear(WIDTH, 3 * WIDTH), torch.nn.Linear(WIDTH, WIDTH)
        self.up, self.down = torch.nn.Linear(WIDTH, 4 * WIDTH), torch.nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        batch, tokens, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(batch, tokens, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, tokens, WIDTH))
        return x + self.down(functional.gelu(self.up(self.norm2(x))))


class Vit(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.token = torch.nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.positions = torch.nn.Parameter(0.02 * torch.randn(1, TOKENS + 1, WIDTH))
        self.blocks = torch.nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm, self.head = torch.nn.LayerNorm(WIDTH, eps=1e-6), torch.nn.Linear(WIDTH, CLASSES)

    def forward(self, images):
        x = self.embed(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
        return self.head(self.norm(self.blocks(x))[:, 0])


class Peer:
    """One PyTorch model with its optimizer and batch."""

    def __init__(self, batch, compiled, bf16):
        torch.manual_seed(0)
        self.model = Vit()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-3, weight_decay=0.05,
                                           fused=True)
        self.images = torch.randn(batch, 3, SIDE, SIDE)
        self.labels = torch.arange(batch) % CLASSES
        self.bf16 = bf16
        self.forward = torch.compile(self.model, mode="max-autotune") if compiled else self.model
        self.first_s = self.step() / 1e3
        self.step()

    def step(self):
        started = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            loss = functional.cross_entropy(self.forward(self.images), self.labels)
        loss.backward()
        self.optimizer.step()
        return 1e3 * (time.perf_counter() - started)

    def peak_bytes(self):
        """Parameters, moments and batch, which live all along, plus the highest live sum of one step."""
        lasting = [p for p in self.model.parameters()] + [self.images, self.labels]
        lasting += [s for state in self.optimizer.state.values() for s in state.values()
                    if torch.is_tensor(s)]
        self.optimizer.zero_grad(set_to_none=True)
        with torch.profiler.profile(profile_memory=True) as profile:
            self.step()
        live = peak = 0
        events = profile.profiler.kineto_results.events()
        for event in sorted((e for e in events if e.name() == "[memory]"), key=lambda e: e.start_ns()):
            live += event.nbytes()
            peak = max(peak, live)
        return sum(t.nbytes for t in lasting) + peak


def ours(a):
    command = [a.build / "bench" / "bench_train_step", "--batch", str(a.batch), "--steps", str(a.steps),
               "--threads", str(a.threads), *(["--bf16", "1"] if a.dtype == "bf16" else [])]
    line = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(line.stdout)


def spread(values):
    return f"{statistics.median(values):.0f} ({min(values):.0f}–{max(values):.0f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    peers = {"PyTorch eager": Peer(a.batch, False, a.dtype == "bf16")}
    if not a.no_compile:
        peers["PyTorch compiled"] = Peer(a.batch, True, a.dtype == "bf16")
    times = {name: [] for name in ["ffn", *peers]}
    ratios = {name: [] for name in peers}
    for _ in range(a.rounds):
        mine = ours(a)
        times["ffn"] += mine["step_ms"]
        for name, peer in peers.items():
            theirs = [peer.step() for _ in range(a.steps)]
            times[name] += theirs
            ratios[name].append(statistics.median(theirs) / statistics.median(mine["step_ms"]))
    bytes_of = {"ffn": mine["measured_bytes"]} | {n: p.peak_bytes() for n, p in peers.items()}
    print(f"torch {torch.__version__}, {a.threads} threads, {mine['device']}, batch {a.batch}, {a.dtype}; "
          "first step: " + ", ".join(f"{name} {peer.first_s:.1f} s" for name, peer in peers.items()) + "\n")
    print("| | step, ms: median (range) | ratio to ffn: median (range) | peak, MiB |\n|---|---|---|---|")
    for name, values in times.items():
        ratio = "1"
        if name != "ffn":
            r = ratios[name]
            ratio = f"{statistics.median(r):.2f} ({min(r):.2f}–{max(r):.2f})"
        print(f"| {name} | {spread(values)} | {ratio} | {bytes_of[name] / 2**20:.0f} |")


if __name__ == "__main__":
    main()
