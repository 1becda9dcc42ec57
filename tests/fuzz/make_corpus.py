#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets into corpus/<target>/: one small file per branch of the parsers.

The same seeds every time; files that fuzzing found (found-*) stay. Needs only Python's own library.
"""
import gzip
import json
import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def safetensors_seeds():
    yield "empty", b""
    yield "no-tensors", safetensors({})
    yield "one", safetensors({"w": tensor("F32", [2, 1], 0, 8)}, bytes(8))
    yield "two", safetensors({"b": tensor("U8", [2], 8, 10), "a": tensor("F64", [], 0, 8)}, bytes(10))
    yield "zero-axis", safetensors({"a": tensor("BF16", [0, 3], 0, 0), "b": tensor("I64", [1], 0, 8)},
                                   bytes(8))
    yield "metadata", safetensors({"__metadata__": {"format": "pt", "k": "\u00fc\n"}})
    yield "padded", safetensors(b"{}" + b" " * 6)
    yield "overlap", safetensors({"a": tensor("U8", [4], 0, 4), "b": tensor("U8", [4], 2, 6)}, bytes(6))
    yield "hole", safetensors({"a": tensor("U8", [1], 0, 1), "b": tensor("U8", [1], 2, 3)}, bytes(3))
    yield "twice", safetensors(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
                               b'"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', bytes(2))
    yield "wrapping", safetensors({"a": tensor("F64", [1 << 32, 1 << 32], 0, 0)})
    yield "nested", safetensors(b'{"a":' + b"[" * 40)
    yield "numbers", safetensors(b'{"a":{"shape":[1e2,-1,1.5,99999999999999999999]}}')
    yield "truncated", safetensors({"w": tensor("F32", [2], 0, 8)}, bytes(7))
    yield "huge-header", struct.pack("<Q", (1 << 63) + 2) + b"{}"
    yield "zip", b"PK\x03\x04\x00\x00\x08\x08" + bytes(8)
    yield "pickle", b"\x80\x02}q\x00."
    yield "page", b"<!DOCTYPE html><html></html>"
    yield "pointer", b"version git-lfs/spec/v1\noid sha256:00\nsize 12345\n"


def idx(kind, axes, data):
    return bytes([0, 0, kind, len(axes)]) + b"".join(struct.pack(">I", a) for a in axes) + data


def idx_seeds():
    plain = idx(8, [2, 3], bytes(range(6)))
    yield "empty", b""
    yield "labels", idx(8, [3], b"\1\2\3")
    yield "images", idx(8, [1, 2, 2], bytes(4))
    yield "no-items", idx(8, [0, 28, 28], b"")
    yield "four-axes", idx(8, [1, 1, 1, 1], b"x")
    yield "floats", idx(13, [1], bytes(4))
    yield "huge", idx(8, [0xffffffff] * 4, b"")
    yield "wrapping", idx(8, [65536, 65536], b"")
    yield "truncated", plain[:-1]
    yield "leftover", plain + b"\0"
    yield "gzip", gzip.compress(plain, 9, mtime=0)
    yield "gzip-truncated", gzip.compress(plain, 9, mtime=0)[:-6]
    yield "gzip-leftover", gzip.compress(plain, 9, mtime=0) + b"\0"
    yield "gzip-stored", gzip.compress(plain, 0, mtime=0)
    yield "gzip-bomb", gzip.compress(bytes(4 << 20), 9, mtime=0)
    yield "page", b"\n<html>"


def cifar_seeds():
    pixels = bytes(range(256)) * 12
    yield "empty", b""
    yield "ten", b"\x09" + pixels
    yield "hundred", b"\x13\x63" + pixels
    yield "label", b"\x0a" + pixels
    yield "second-label", b"\x00" + pixels + b"\x0b" + pixels
    yield "coarse-label", b"\x14\x00" + pixels
    yield "fine-label", b"\x00\x64" + pixels
    yield "truncated", (b"\x00" + pixels)[:-1]
    yield "short", b"\x00\x01\x02"
    yield "page", b"\n<html>"
    yield "pickle", b"\x80\x02}q\x00."


def spec_seeds():
    """Texts of designs; a name is what its text does to the parser."""
    yield "empty", b""
    yield "name", b"swiglu"
    yield "no-arguments", b"relu2()"
    yield "activation", b"mlp(gelu)"
    yield "ratio", b"mlp(gelu_tanh, x2.67)"
    yield "small-ratio", b"mlp(silu, x0." + b"0" * 323 + b"1)"
    yield "large-ratio", b"glu(silu, x1" + b"0" * 308 + b")"
    yield "hidden", b"dwconv(k=5, hardswish, hidden=64)"
    yield "blanks", b" mlp ( relu ,x4 ) "
    yield "alias-with", b"geglu(hidden=96)"
    yield "nested", b"moe(8, top=2, glu(silu, x2), mlp(gelu))"
    yield "nested-empty", b"a(a())"
    yield "deepest", b"a(" * 7 + b"a(b)" + b")" * 7
    yield "too-deep", b"a(" * 9
    yield "longest", b"mlp(gelu," + b" " * 4086 + b")"
    yield "too-long", b"a" * 4097
    yield "misspelt", b"swigl(hidden=8)"
    yield "ratio-and-hidden", b"mlp(gelu, x4, hidden=8)"
    yield "two-ratios", b"mlp(gelu, x4, x2)"
    yield "option-twice", b"mlp(gelu, k=3, k=3)"
    yield "even-kernel", b"dwconv(gelu, k=4)"
    yield "huge-number", b"mlp(gelu, hidden=99999999999999999999)"
    yield "no-value", b"mlp(gelu, hidden=)"
    yield "open", b"mlp(gelu"
    yield "rest", b"mlp(gelu))"
    yield "digit-first", b"4mlp(gelu)"
    yield "not-ascii", b"mlp(\xc3\xa9)\0"


def tokenizer_json_seeds():
    """One small file per component, and one with many."""
    bpe = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}
    piece = {"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##", "max_input_chars_per_word": 9,
             "vocab": {"?": 0, "a": 1, "##b": 2}}

    def file(model=bpe, **parts):
        return json.dumps({**parts, "model": model}, separators=(",", ":")).encode()

    def added(**flags):
        return [{"id": 3, "content": "<s>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                 "special": True, **flags}]

    yield "empty", b""
    yield "bpe", file()
    yield "merges-as-texts", file({**bpe, "merges": ["a b"]})
    yield "word-piece", file(piece, pre_tokenizer={"type": "BertPreTokenizer"}, normalizer={
        "type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
        "lowercase": True}, decoder={"type": "WordPiece", "prefix": "##", "cleanup": True})
    yield "options", file({**bpe, "vocab": {"?": 0, "a</w>": 1, "##b</w>": 2, "<0xC3>": 3}, "merges": [], "unk_token": "?",
                           "fuse_unk": True, "byte_fallback": True, "ignore_merges": True,
                           "continuing_subword_prefix": "##", "end_of_word_suffix": "</w>"})
    for flag in ("special", "single_word", "lstrip", "rstrip", "normalized"):
        yield "added-" + flag, file(added_tokens=added(**{flag: True}))
    yield "special-outside", file(post_processor={"type": "BertProcessing", "sep": ["s", 7], "cls": ["c", 0]})
    yield "huge-id", file({**bpe, "vocab": {"a": 1 << 31}})
    yield "ids-repeated", file({**bpe, "vocab": {"a": 0, "b": 0}})
    yield "merge-unknown", file({**bpe, "merges": [["a", "x"]]})
    yield "nested", b'{"normalizer":' + b"[" * 40
    for kind in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "ByteLevel", "Precompiled"):
        yield "normalizer-" + kind.lower(), file(normalizer={"type": kind})
    yield "replace", file(normalizer={"type": "Sequence", "normalizers": [
        {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": "_"}, {"type": "Prepend", "prepend": "_"},
        {"type": "Strip", "strip_left": True, "strip_right": True}]})
    for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        yield "split-" + behavior.lower(), file(pre_tokenizer={"type": "Split", "pattern": {"Regex": "\\p{L}+|'s"},
                                                               "behavior": behavior, "invert": behavior < "M"})
    yield "catastrophic", file(pre_tokenizer={"type": "Split", "pattern": {"Regex": "(?:[^q]*)*$q"},
                                              "behavior": "Isolated", "invert": False})
    yield "words", file(pre_tokenizer={"type": "Sequence", "pretokenizers": [
        {"type": "Whitespace"}, {"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Contiguous"},
        {"type": "Digits", "individual_digits": False}]})
    yield "byte-level", file(pre_tokenizer={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True,
                                            "use_regex": True}, decoder={"type": "ByteLevel"},
                             post_processor={"type": "ByteLevel"})
    for scheme in ("first", "never", "always"):
        space = {"type": "Metaspace", "replacement": "_", "prepend_scheme": scheme, "split": scheme != "first"}
        yield "metaspace-" + scheme, file(pre_tokenizer=space, decoder={k: space[k] for k in space if k != "split"})
    yield "decoders", file(decoder={"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "_"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 1}]})
    template = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "s", "type_id": 0}},
                                                        {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [], "special_tokens": {"s": {"id": "s", "ids": [2], "tokens": ["s"]}}}
    yield "template", file(post_processor=template)
    yield "processors", file(post_processor={"type": "Sequence", "processors": [{"type": "ByteLevel"}, template, {
        "type": "RobertaProcessing", "sep": ["a", 0], "cls": ["b", 1], "trim_offsets": True, "add_prefix_space": True}]})
    yield "page", b"<!DOCTYPE html><html></html>"


def tokenizer_text_seeds():
    """Texts for every tokenizer of the target: the first byte chooses it."""
    words = ["it's 'LL 12345  x\n\n \t", "e\u0301\u0323\u00e9\ufb01\u0130\u1100\u1161", "\U0001f468\u200d\U0001f469\ufe0f",
             "\u4e2d\u6587ab\u3042", " <s>tok TOK</s>  <mask>abab\u2581 ", "\u0000\u0001\u00ad\ufffd\u2028"]
    for choice in range(0, 20, 3):
        yield f"choice-{choice}", bytes([choice]) + words[choice % len(words)].encode()
    for i, word in enumerate(words):
        yield f"word-{i}", bytes([2 * i + 1]) + word.encode()
    yield "broken", b"\x07a\xff\xc3\xe2\x96\xf0\x9f\x98\xed\xa0\x80"
    yield "long", b"\x09" + b"ab" * 300
    yield "empty", b""


def main():
    total = 0
    for target, seeds in (("safetensors", safetensors_seeds()), ("idx", idx_seeds()),
                          ("cifar", cifar_seeds()), ("spec", spec_seeds()),
                          ("tokenizer_json", tokenizer_json_seeds()),
                          ("tokenizer_text", tokenizer_text_seeds())):
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            if not old.name.startswith("found-"):
                old.unlink()
        for name, content in seeds:
            (folder / name).write_bytes(content)
            total += len(content)
    print(f"{total} bytes of seeds in corpus/")


if __name__ == "__main__":
    main()
