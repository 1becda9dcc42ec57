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


def index(weight_map, **others):
    return json.dumps({"weight_map": weight_map, **others}).encode()


def safetensors_index_seeds():
    """An index, alone or before a zero byte and the file that is taken for every shard."""
    one = safetensors({"a": tensor("U8", [1], 0, 1), "b": tensor("U8", [1], 1, 2)}, bytes(2))
    both = {"a": "model-00001-of-00001.safetensors", "b": "model-00001-of-00001.safetensors"}
    yield "empty", b""
    yield "good", index(both, metadata={"total_size": 2})
    yield "with-file", index(both, metadata={"total_size": 2}) + b"\0" + one
    yield "two-shards", index({"a": "x.safetensors", "b": "y.safetensors"})
    yield "not-in-index", index({"a": "x.safetensors"}) + b"\0" + one
    yield "not-in-file", index(both | {"c": "model-00001-of-00001.safetensors"}) + b"\0" + one
    yield "elsewhere", index({"a": "x.safetensors", "b": "y.safetensors"}) + b"\0" + one
    yield "no-tensors", index({})
    yield "no-map", b'{"metadata":{}}'
    yield "values", index(both, metadata={"a": 1.5, "b": True, "c": None, "d": "x", "e": -1, "f": 1e300})
    yield "nested", b'{"weight_map":{"a":{"b":1}}}'
    yield "list", b'{"weight_map":["a"]}'
    yield "number", b'{"weight_map":{"a":1}}'
    yield "unknown-key", b'{"weight_map":{"a":"x.safetensors"},"b":{}}'
    yield "map-twice", b'{"weight_map":{"a":"x.safetensors"},"weight_map":{"b":"x.safetensors"}}'
    yield "tensor-twice", b'{"weight_map":{"a":"x.safetensors","\\u0061":"y.safetensors"}}'
    yield "folder", index({"a": "../x.safetensors"})
    yield "absolute", index({"a": "/x.safetensors"})
    yield "hidden", index({"a": ".safetensors"})
    yield "zero-in-name", index({"a": "x\0.safetensors"})
    yield "other-file", index({"a": "x.bin"})
    yield "long-name", index({"a": "x" * 256 + ".safetensors"})
    yield "page", b"<!DOCTYPE html><html></html>"


def text(value):
    return struct.pack("<Q", len(value)) + value


def entry(key, kind, value):
    return text(key) + struct.pack("<I", kind) + value


def gguf_list(kind, count, value):
    return struct.pack("<IQ", kind, count) + value


def gguf(entries=(), tensors=(), data=b"", version=3, align=32):
    """Of encoded entries and of (name, axes with the fastest first, type, offset)."""
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(entries)) + b"".join(entries)
    for name, axes, kind, offset in tensors:
        head += text(name) + struct.pack(f"<I{len(axes)}QIQ", len(axes), *axes, kind, offset)
    return head + bytes(-len(head) % align) + data if tensors else head


def gguf_seeds():
    everything = [entry(b"u8", 0, b"\7"), entry(b"i8", 1, b"\xff"), entry(b"u16", 2, b"\1\2"),
                  entry(b"i16", 3, b"\xff\xff"), entry(b"u32", 4, struct.pack("<I", 9)),
                  entry(b"i32", 5, struct.pack("<i", -9)), entry(b"f32", 6, struct.pack("<f", 0.5)),
                  entry(b"bool", 7, b"\1"), entry(b"text", 8, text("Gr\u00fc\u00dfe".encode())),
                  entry(b"u64", 10, struct.pack("<Q", 1 << 63)), entry(b"i64", 11, struct.pack("<q", -1)),
                  entry(b"f64", 12, struct.pack("<d", 1e300)), entry(b"nan", 6, struct.pack("<f", float("nan"))),
                  entry(b"not-utf8", 8, text(b"\xc3"))]
    lists = [entry(b"texts", 9, gguf_list(8, 3, text(b"a") + text(b"") + text(b"\xff"))),
             entry(b"many", 9, gguf_list(5, 9, struct.pack("<9i", *range(9)))),
             entry(b"floats", 9, gguf_list(6, 2, struct.pack("<2f", 1, -2))),
             entry(b"flags", 9, gguf_list(7, 2, b"\0\1")), entry(b"none", 9, gguf_list(8, 0, b""))]
    kinds = [(b"f32", [2, 3], 0, 0), (b"q4_0", [32], 2, 32), (b"q4_1", [32], 3, 64), (b"q5_0", [32], 6, 96),
             (b"q8_0", [32], 8, 128), (b"q4_k", [256], 12, 192), (b"q6_k", [256, 1], 14, 352)]
    yield "empty", b""
    yield "nothing", gguf()
    yield "metadata", gguf(everything)
    yield "lists", gguf(lists)
    yield "tensors", gguf([], kinds, bytes(range(256)) + bytes(352 - 256 + 210))
    yield "version-2", gguf(everything[:2], [(b"a", [4], 24, 0)], bytes(4), version=2)
    yield "version-1", gguf(version=1)
    yield "version-9", gguf(version=9)
    yield "big-endian", b"GGUF" + struct.pack(">IQQ", 3, 0, 0)
    yield "aligned", gguf([entry(b"general.alignment", 4, struct.pack("<I", 64))],
                          [(b"a", [1], 24, 0), (b"b", [1], 24, 64)], bytes(65), align=64)
    yield "alignment-odd", gguf([entry(b"general.alignment", 4, struct.pack("<I", 24))])
    yield "alignment-text", gguf([entry(b"general.alignment", 8, text(b"32"))])
    yield "unknown-type", gguf([], [(b"a", [3], 77, 0), (b"b", [1], 24, 32)], bytes(33))
    yield "scalar", gguf([], [(b"a", [], 0, 0), (b"zero", [0, 3], 0, 32)], bytes(32))
    yield "overlap", gguf([], [(b"a", [64], 24, 0), (b"b", [4], 24, 32)], bytes(64))
    yield "unaligned", gguf([], [(b"a", [4], 24, 4)], bytes(8))
    yield "twice", gguf([entry(b"a", 0, b"\1"), entry(b"a", 0, b"\2")])
    yield "names-twice", gguf([], [(b"a", [1], 24, 0), (b"a", [1], 24, 32)], bytes(33))
    yield "wrapping", gguf([], [(b"a", [1 << 32, 1 << 32], 24, 0)])
    yield "cut-block", gguf([], [(b"a", [31], 2, 0)], bytes(18))
    yield "five-axes", gguf([], [(b"a", [1] * 5, 24, 0)], bytes(1))
    yield "far", gguf([], [(b"a", [1], 24, (1 << 63) - 32)])
    yield "nested-lists", gguf([entry(b"a", 9, gguf_list(9, 1, gguf_list(0, 1, b"\1")))])
    yield "type-13", gguf([entry(b"a", 13, b"\1")])
    yield "bool-2", gguf([entry(b"a", 7, b"\2")])
    yield "no-key", gguf([entry(b"", 0, b"\1")])
    yield "huge-counts", b"GGUF" + struct.pack("<IQQ", 3, (1 << 64) - 1, (1 << 64) - 1)
    yield "huge-list", gguf([entry(b"a", 9, gguf_list(12, 1 << 61, b""))])
    yield "huge-text", gguf([entry(b"a", 8, struct.pack("<Q", (1 << 64) - 8))])
    yield "truncated", gguf([], [(b"a", [8], 24, 0)], bytes(7))
    yield "page", b"<!DOCTYPE html><html></html>"


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
    for target, seeds in (("safetensors", safetensors_seeds()),
                          ("safetensors_index", safetensors_index_seeds()),
                          ("gguf", gguf_seeds()), ("idx", idx_seeds()), ("cifar", cifar_seeds()), ("spec", spec_seeds()),
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
