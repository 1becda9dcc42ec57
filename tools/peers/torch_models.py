"""Whole models as one writes them in PyTorch, for training steps: the presets that bench/cases/train.json names.

make_model(case, generator) -> (module, input, labels): module(input) are logits [rows, classes], labels
belong to its rows. The feed-forward layers are those of torch_layers.py; everything else is as
src/ffn/models/vit.h and decoder.h say.
"""
import functools

import torch
import torch.nn.functional as F
from torch import nn

from torch_layers import NoPeer, layer_of

# Preset: width, layers, heads.
VISION = {"vit-pico": (48, 3, 3), "vit-nano": (96, 6, 3), "deit-tiny": (192, 12, 3), "deit-small": (384, 12, 6)}
LANGUAGE = {"lm-pico": (64, 2, 2), "lm-nano": (128, 4, 4), "lm-micro": (256, 6, 4), "lm-small": (384, 8, 6),
            "lm-124m": (768, 12, 12)}
ROPE_THETA = 1e4


def drawn(shape):
    return nn.Parameter(0.02 * torch.randn(shape))


class FeedForward(nn.Module):
    def __init__(self, case, width, bias):
        super().__init__()
        design, shapes, self.layer = layer_of(case | {"width": width, "bias": bias, "tokens": 0})
        if design.name not in ("mlp", "glu"):
            raise NoPeer(f"no training step with '{design.name}' written here")
        self.weights = nn.ParameterDict({name: drawn(shape) for name, shape in shapes.items()})

    def forward(self, x):
        return self.layer(x, lambda name: self.weights[name] if name in self.weights else None)


class Attention(nn.Module):
    def __init__(self, width, heads, bias, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv, self.out = nn.Linear(width, 3 * width, bias), nn.Linear(width, width, bias)

    def forward(self, x, rotate):
        batch, tokens, width = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(rotate(q), rotate(k), v, is_causal=self.causal)
        return self.out(mixed.transpose(1, 2).reshape(batch, tokens, width))


class Block(nn.Module):
    def __init__(self, case, width, heads, language):
        super().__init__()
        norm = functools.partial(nn.RMSNorm, eps=1e-5) if language else functools.partial(nn.LayerNorm, eps=1e-6)
        self.norm1, self.norm2 = norm(width), norm(width)
        self.attention = Attention(width, heads, not language, language)
        self.feed_forward = FeedForward(case, width, not language)

    def forward(self, x, rotate):
        x = x + self.attention(self.norm1(x), rotate)
        return x + self.feed_forward(self.norm2(x))


class Vision(nn.Module):
    def __init__(self, case):
        super().__init__()
        width, layers, heads = VISION[case["model"]]
        self.class_token = case["model"].startswith("deit")
        self.embed = nn.Conv2d(3, width, case["patch"], case["patch"])
        tokens = (case["image"] // case["patch"]) ** 2 + self.class_token
        if self.class_token:
            self.token = drawn((1, 1, width))
        self.positions = drawn((1, tokens, width))
        self.blocks = nn.ModuleList(Block(case, width, heads, False) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, case["classes"])

    def forward(self, images):
        x = self.embed(images).flatten(2).transpose(1, 2)
        if self.class_token:
            x = torch.cat([self.token.expand(len(x), -1, -1), x], 1)
        x = x + self.positions
        for block in self.blocks:
            x = block(x, lambda t: t)
        x = self.norm(x)
        return self.head(x[:, 0] if self.class_token else x.mean(1))


class Language(nn.Module):
    def __init__(self, case):
        super().__init__()
        width, layers, heads = LANGUAGE[case["model"]]
        self.table = drawn((case["vocabulary"], width))  # the head's weight too
        self.blocks = nn.ModuleList(Block(case, width, heads, True) for _ in range(layers))
        self.norm = nn.RMSNorm(width, eps=1e-5)
        inner = width // heads
        angles = torch.outer(torch.arange(case["context"]), ROPE_THETA ** (-torch.arange(0, inner, 2) / inner))
        self.register_buffer("cos", torch.cat([angles, angles], 1).cos())
        self.register_buffer("sin", torch.cat([angles, angles], 1).sin())

    def rotate(self, x):
        lower, upper = x.chunk(2, -1)
        return x * self.cos.to(x.dtype) + torch.cat([-upper, lower], -1) * self.sin.to(x.dtype)

    def forward(self, ids):
        x = F.embedding(ids, self.table)
        for block in self.blocks:
            x = block(x, self.rotate)
        return F.linear(self.norm(x), self.table).flatten(0, 1)


def make_model(case, generator):
    torch.manual_seed(generator.initial_seed())
    batch = case["batch"]
    if case["model"] in VISION:
        images = torch.randn((batch, 3, case["image"], case["image"]), generator=generator)
        return Vision(case), images, torch.arange(batch) % case["classes"]
    if case["model"] in LANGUAGE:
        ids = torch.randint(case["vocabulary"], (batch, case["context"] + 1), generator=generator)
        return Language(case), ids[:, :-1].contiguous(), ids[:, 1:].flatten()
    raise NoPeer(f"model '{case['model']}' not written here")
