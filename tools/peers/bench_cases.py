"""The cases of bench/cases/*.json and the text of designs, as `ffn bench` reads them."""
import itertools
import json
import re

# Where one of these keys holds a list, every element makes a case, whose name goes on with the mark and
# the element; in this order, as in src/ffn/bench/read_suite.cpp.
LISTS = (("design", ""), ("m", "m"), ("rows", "n"), ("batch", "b"), ("dtype", ""), ("pass", ""),
         ("memory", ""), ("routing", ""))
DEFAULTS = {
    "product": {"dtype": "f32", "prepared": False, "bits": 0, "group": 32, "cold": False},
    "layer": {"tokens": 0, "grid": None, "causal": False, "bias": False, "dtype": "f32", "pass": "forward",
              "memory": "store", "routing": "none", "cold": False,
              "prepared": False},
    "train": {"dtype": "f32", "memory": "store"},
}


class CaseError(Exception):
    """A file or a design that says nothing this program can read."""


def expanded(case):
    """One case for every combination of the elements of its lists."""
    lists = [(key, mark) for key, mark in LISTS if isinstance(case.get(key), list)]
    for chosen in itertools.product(*(case[key] for key, _ in lists)):
        one = dict(case)
        for (key, mark), element in zip(lists, chosen):
            one[key] = element
            one["name"] += f"/{mark}{element}"
        yield one


def suite_cases(text, where):
    """The cases of a suite's text in its order, defaults filled in; "key" is suite/name."""
    suite = json.loads(text)
    if suite.get("schema") != 1:
        raise CaseError(f"{where}: schema is {suite.get('schema')}, this program reads 1")
    cases = []
    for each in suite["cases"]:
        if each.get("kind") not in DEFAULTS:
            raise CaseError(f"{where}: unknown kind '{each.get('kind')}'")
        for one in expanded(each):
            case = DEFAULTS[one["kind"]] | one | {"suite": suite["suite"]}
            if case["kind"] == "product":
                case.setdefault("b", case["dtype"])
                case.setdefault("c", case["dtype"])
            case["key"] = f"{case['suite']}/{case['name']}"
            cases.append(case)
    return cases


class Design:
    """NAME(PART, …), a part being a word, key=value or a design with brackets of its own."""

    def __init__(self, text):
        found = re.fullmatch(r"\s*([a-z0-9-]+)\s*(?:\((.*)\))?\s*", text)
        if not found:
            raise CaseError(f"'{text}' is no design")
        self.name, self.words, self.options, self.inner = found.group(1), [], {}, None
        for part in split_parts(found.group(2) or ""):
            if re.fullmatch(r"[a-z_]+\s*=.*", part):
                key, value = part.split("=", 1)
                self.options[key.strip()] = value.strip()
            elif "(" in part:
                self.inner = Design(part)
            else:
                self.words.append(part)

    def number(self, key, fallback):
        return int(self.options.get(key, fallback))

    def hidden(self, width):
        """H, by hidden=, xRATIO and multiple=, or as docs/designs/mlp.md and glu.md say."""
        if "hidden" in self.options:
            return int(self.options["hidden"])
        ratios = [float(word[1:]) for word in self.words if re.fullmatch(r"x[0-9.]+", word)]
        multiple = self.number("multiple", 0)
        wanted = ratios[0] * width if ratios else 8 * width / 3 if self.name == "glu" else 4 * width
        if multiple:
            return -(-int(wanted) // multiple) * multiple
        if self.name == "glu" and not ratios:
            return int(wanted / 8 + 0.5) * 8
        return int(wanted + 0.5)


def split_parts(text):
    """The text between commas that stand in no bracket."""
    parts, depth, part = [], 0, ""
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += letter
    return [p for p in [*parts, part.strip()] if p]
