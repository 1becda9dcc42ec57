"""What a comparison found, as text: Markdown, CSV, or JSON with schema 1."""
import csv
import io
import json

from ratios import LOST, best_peer


def milliseconds(ms):
    return f"{ms:.3g}" if ms < 100 else f"{ms:.0f}"


def mebibytes(count):
    return "" if count is None else f"{count / 2**20:.1f}"


def ratio_text(peer):
    return f"{peer['ratio']:.2f} [{peer['low']:.2f}, {peer['high']:.2f}]"


def markdown_row(cells):
    return "| " + " | ".join(cells) + " |"


def markdown_table(head, rows):
    return "\n".join(map(markdown_row, [head, ["---"] * len(head), *rows]))


def measured_of(case, name):
    return next((peer for peer in case["peers"] if peer["peer"] == name and peer.get("ms")), None)


def case_row(case, names, memory):
    best, cells = best_peer(case), [case["case"], milliseconds(case["ms"])]
    if memory:
        cells.append(mebibytes(case.get("bytes")))
    for name in names:
        peer = measured_of(case, name)
        mark = "**" if peer and peer is best else ""
        cells += [milliseconds(peer["ms"]), mark + ratio_text(peer) + mark] if peer else ["–", "–"]
        if memory:
            cells.append(mebibytes(peer.get("bytes")) if peer else "–")
    return cells


def cases_table(result):
    names = [peer["peer"] for peer in result["peers"] if not peer.get("skipped")]
    memory = any(peer.get("bytes") is not None for case in result["cases"] for peer in case["peers"])
    head = ["case", "ffn, ms"] + (["ffn, MiB"] if memory else [])
    for name in names:
        head += [f"{name}, ms", "ratio [95 %]"] + ([f"{name}, MiB"] if memory else [])
    return markdown_table(head, [case_row(c, names, memory) for c in result["cases"] if c.get("ms")])


def suites_table(result):
    rows = [[s["suite"], str(s["cases"]), f"{s['ratio_to_best']:.2f}", str(s["lost"])]
            for s in result["suites"]]
    head = ["suite", "cases", "geometric mean of the ratios to the best peer", f"interval below {LOST}"]
    return markdown_table(head, rows)


def skipped_lines(result):
    """What was not measured, a line for each reason with its cases; and what measured peers do."""
    lines = [f"{p['peer']}: skipped: {p['skipped']}" for p in result["peers"] if p.get("skipped")]
    reasons = {}
    for case in result["cases"]:
        if case.get("error"):
            lines.append(f"ffn: {case['case']}: {case['error']}")
        for peer in case["peers"]:
            if peer.get("skipped") or peer.get("how"):
                text = f"skipped: {peer['skipped']}" if peer.get("skipped") else peer["how"]
                reasons.setdefault((peer["peer"], text), []).append(case["case"])
    for (name, reason), cases in reasons.items():
        more = f" and {len(cases) - 3} more" if len(cases) > 3 else ""
        lines.append(f"{name}: {reason}: {', '.join(cases[:3])}{more}")
    return lines


def markdown(result):
    machine = result["machine"]
    head = (f"ffn {machine['isa']} on {machine['cpu']}, {result['threads']} "
            f"thread{'s' if result['threads'] > 1 else ''}, {result['rounds']} rounds, seed {result['seed']}.")
    peers = [f"{p['peer']}: {p['version']}" for p in result["peers"] if not p.get("skipped")]
    legend = "A ratio is a peer's time over ffn's: above 1 ffn is faster; bold: the best peer."
    parts = ["\n".join([head, *peers, *result["notes"], legend]), cases_table(result)]
    if result["suites"]:
        parts.append(suites_table(result))
    parts.append("\n".join(f"- {line}" for line in skipped_lines(result)))
    return "\n\n".join(part for part in parts if part) + "\n"


CSV_COLUMNS = ("case", "ffn_ms", "ffn_bytes", "peer", "peer_ms", "peer_bytes", "ratio", "low", "high", "how",
               "skipped")


def comma_separated(result):
    """A row for every case and peer."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(CSV_COLUMNS)
    for case in result["cases"]:
        for peer in case["peers"]:
            own = [peer.get(k) for k in ("peer", "ms", "bytes", "ratio", "low", "high", "how", "skipped")]
            rows.writerow([case["case"], case.get("ms"), case.get("bytes"), *own])
    return text.getvalue()


def as_json(result):
    return json.dumps({"schema": 1} | result, indent=2, ensure_ascii=False) + "\n"


FORMATS = {"md": markdown, "csv": comma_separated, "json": as_json}
