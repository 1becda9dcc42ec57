#!/usr/bin/env python3
"""Measures the cases of `ffn bench` beside other software, in turn, in one run (docs/bench.md).

usage: compare_peers.py [--suite NAME ...] [--cases FILE ...] [--only TEXT] [--peer NAME ...] [--rounds 5]
                        [--threads N] [--peak] [-o md|csv|json] [--ffn build/release/ffn]

Every program is a process of its own that stays warm. For every case and round each is asked in turn for a
round of samples; the first question makes it verify its result. What is missing is one line "skipped".
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys

from bench_cases import CaseError, suite_cases
from ratio_report import FORMATS
from ratios import pooled_median, ratio_interval, summaries

HERE = pathlib.Path(__file__).resolve().parent
SUITES = HERE.parents[1] / "bench" / "cases"
PEERS = ("torch-eager", "torch-compiled", "onednn", "openblas")


class Ended(Exception):
    """A child process that ended before it answered."""


class Child:
    """A process that answers every line with a line of JSON."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, **options)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise Ended(f"ended with code {self.process.wait()}")
        return json.loads(line)

    def ask(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # reading says how it ended
        return self.read()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Peer:
    def __init__(self, name, threads, seed):
        self.name = name
        # Threads of other libraries within the process; torch's are set by its own call.
        self.environment = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))
        self.command = [sys.executable, HERE / "measure_peer.py", name, threads, seed]
        self.start()

    def start(self):
        # torch.compile reports its tuning there, pages of it.
        self.child = Child(self.command, env=self.environment, stderr=subprocess.DEVNULL)
        try:
            hello = self.child.read()
        except Ended as error:
            hello = {"skipped": str(error)}
        self.version, self.skipped = hello.get("version", ""), hello.get("skipped")

    def ask(self, request):
        try:
            return self.child.ask(json.dumps(request))
        except Ended as error:
            self.start()  # the next case may be within its means
            return {"skipped": str(error)}

    def peak(self, case):
        """Bytes, in a process that has done nothing else."""
        beside = Peer(self.name, *self.command[-2:])
        answer = beside.ask({"case": case, "peak": True})
        beside.child.end()
        return answer.get("bytes")


class Rounds:
    """The samples of one program for one case."""

    def __init__(self, ask):
        self.ask, self.ms, self.last = ask, [], {}

    def add(self):
        if not self.reason():
            self.last = self.ask()
            if "ms" in self.last:
                self.ms.append(self.last["ms"])

    def reason(self):
        return self.last.get("skipped") or self.last.get("error")


def measured_case(case, ours, peers, rounds):
    own = Rounds(lambda: ours.ask(case["key"]))
    theirs = [Rounds(lambda peer=peer: peer.ask({"case": case})) for peer in peers]
    # The first question compiles and verifies, which takes seconds to minutes: not between two rounds that
    # are compared.
    for side in theirs:
        side.add()
        side.ms.clear()
    if any(not side.reason() for side in theirs):
        own.add()
        own.ms.clear()
        for _ in range(rounds):
            for side in (own, *theirs):
                side.add()
    return case_result(case, own, list(zip(peers, theirs)))


def case_result(case, own, theirs):
    result = {"case": case["key"], "suite": case["suite"], "ms": None, "bytes": own.last.get("measured_bytes"),
              "isa": own.last.get("isa"), "verified": own.last.get("verified"), "error": own.reason(), "peers": []}
    if own.ms and not own.reason():
        result["ms"] = pooled_median(own.ms)
    for peer, side in theirs:
        entry = {"peer": peer.name, "skipped": side.reason(), "how": side.last.get("how") or None}
        if side.ms and result["ms"] and not side.reason():
            ratio, low, high = ratio_interval(own.ms, side.ms)
            entry |= {"ms": pooled_median(side.ms), "ratio": ratio, "low": low, "high": high}
        result["peers"].append(entry)
    return result


def files_of(options):
    names = options.suite or ([] if options.cases else sorted(path.stem for path in SUITES.glob("*.json")))
    for name in names:
        if not (SUITES / f"{name}.json").exists():
            raise CaseError(f"there is no suite '{name}' in {SUITES.name}")
    return names, [SUITES / f"{name}.json" for name in names] + options.cases


def chosen_cases(options):
    """The cases of the files, which must be those that ffn has under the same names."""
    names, files = files_of(options)
    cases = [case for file in files for case in suite_cases(file.read_text(), file.name)]
    arguments = names + [part for file in options.cases for part in ("--cases", file)]
    listed = subprocess.run([options.ffn, "bench", *arguments, "--list", "-o", "json"], check=True,
                            stdout=subprocess.PIPE, text=True)
    if [case["key"] for case in cases] != [row["case"] for row in json.loads(listed.stdout)["rows"]]:
        raise CaseError(f"{options.ffn} has other cases than {SUITES.name}: build it anew")
    return arguments, [case for case in cases if options.only in case["key"]]


def library_notes():
    """Whether torch's products are oneDNN's, as its own record of calls says."""
    for name in ("float32", "bfloat16"):
        code = f"import torch; a = torch.ones(128, 128, dtype=torch.{name}); a @ a"
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True, env=dict(os.environ, ONEDNN_VERBOSE="1"))
        if done.returncode == 0:
            used = any(",exec," in line for line in done.stdout.splitlines())
            yield f"torch's products of {name} are {'' if used else 'not '}oneDNN's"


def processor_name():
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return "an unknown processor"


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ffn", type=pathlib.Path, default=pathlib.Path("build/release/ffn"))
    parser.add_argument("--suite", action="append", default=[], metavar="NAME", help="default: every suite")
    parser.add_argument("--cases", action="append", type=pathlib.Path, default=[], metavar="FILE")
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases with this text in suite/name")
    parser.add_argument("--peer", action="append", default=[], choices=PEERS, help="default: all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="of the peers' data")
    parser.add_argument("--peak", action="store_true",
                        help="also the peers' bytes at the peak of layers and steps, each in a process of its own")
    parser.add_argument("-o", "--output", choices=FORMATS, default="md")
    options = parser.parse_args()
    if options.rounds < 1 or options.threads < 1:
        parser.error("--rounds and --threads are at least 1")
    return options


def compared(options):
    arguments, cases = chosen_cases(options)
    if not cases:
        raise CaseError(f"no case has '{options.only}' in its suite and name")
    ours = Child([options.ffn, "bench", *arguments, "--on-request", "--threads", options.threads])
    peers = [Peer(name, options.threads, options.seed) for name in options.peer or PEERS]
    for peer in peers:
        if peer.skipped:
            print(f"{peer.name}: skipped: {peer.skipped}", file=sys.stderr)
    present, results = [peer for peer in peers if not peer.skipped], []
    try:
        for number, case in enumerate(cases):
            print(f"[{number + 1}/{len(cases)}] {case['key']}", file=sys.stderr)
            result = measured_case(case, ours, present, options.rounds)
            if options.peak and case["kind"] != "product":
                for peer, entry in zip(present, result["peers"]):
                    entry["bytes"] = peer.peak(case) if entry.get("ms") else None
            results.append(result)
    except KeyboardInterrupt:
        print(f"stopped: {len(results)} of {len(cases)} cases are reported", file=sys.stderr)
    for child in [ours] + [peer.child for peer in present]:
        child.end()
    notes = list(library_notes()) if any("torch" in peer.version for peer in present) else []
    isas = sorted({case.pop("isa") for case in results} - {None})
    return {"machine": {"cpu": processor_name(), "isa": ", ".join(isas)}, "threads": options.threads,
            "rounds": options.rounds, "seed": options.seed, "notes": notes,
            "peers": [{"peer": p.name, "version": p.version, "skipped": p.skipped} for p in peers],
            "cases": results, "suites": summaries(results)}


def main():
    options = parsed()
    try:
        result = compared(options)
    except (CaseError, Ended, OSError, subprocess.CalledProcessError) as error:
        print(f"compare_peers: {error}", file=sys.stderr)
        return 2
    print(FORMATS[options.output](result), end="")
    return 1 if any(case["error"] for case in result["cases"]) else 0


if __name__ == "__main__":
    sys.exit(main())
