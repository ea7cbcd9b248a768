#!/usr/bin/env python3
"""Renders what gpu-check.sh measured as one table: each workload beside what the machine could do at most, and its peers.

    table.py <folder with *.jsonl> [--json <file>]

Lines of `granule_cuda_roofline` give the limits, those of `granule_cuda_bench` the measurements, those of torch_scan.py and
triton_maxsim.py the peers. The floor of a workload is the longer of two times: the bytes of its codes over the rate at which
the device copies (read plus written), and its operations over the rate of the int8 matrix instructions; the share is
the floor over the measured time. A peer's ratio is its time over ours. Targets belong to one size on an NVIDIA H200; `met`
and `missed` compare with what must be reached, `aim met` with what is aimed at; other sizes have none. Exits with 1
where bits differ, and with 0 where targets are missed: that is a result.
"""

import argparse
import json
import math
import pathlib

HEADS = ("workload", "measured", "floor", "share", "peer", "ratio", "must", "aim", "result")

# What must be reached and what is aimed at: a least share of the floor, ratio to the peer, or operations a second.
ROWS = {"workload": "rows", "rows": 10_000_000, "dimension": 768, "k": 10}
DOCUMENTS = {"workload": "documents", "rows": 100_000, "documentVectors": 1030, "dimension": 128, "queryVectors": 32}
RERANK = {"workload": "rerank", "documentVectors": 256, "dimension": 128, "queryVectors": 32, "candidates": 100}
TARGETS = [
    ({**ROWS, "queries": 1}, None, ("share", 0.70), ("share", 0.85)),
    ({**ROWS, "queries": 1024}, "torch-bf16", ("ratio", 1), ("rate", 900e12)),
    ({**ROWS, "queries": 1024}, "torch-float32", ("ratio", 6), None),
    ({**DOCUMENTS, "queries": 1}, None, ("share", 0.70), ("share", 0.85)),
    ({**RERANK, "queries": 32}, "triton-kernel", ("ratio", 1), ("ratio", 2)),
    (
        {"workload": "transfer", "of": "rows", "vectorBytes": 10_000_000 * 768 * 4},
        None,
        ("share", 0.70),
        None,
    ),
]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path, help="where the rows go as JSON")
    options = parser.parse_args()
    records = read(options.folder)
    limits = next((r for r in records if r.get("workload") == "roofline"), {})
    measured = [r for r in records if r.get("workload") in ("rows", "documents", "rerank", "transfer")]
    peers = peer_times(records)
    rows = [row for record in measured for row in rows_of(record, limits, peers)]
    rows += [absent(target) for target in TARGETS if not any(r["target"] == target for r in rows)]
    print(describe(limits))
    print(rendered([HEADS] + [[row[head] for head in HEADS] for row in rows]))
    concurrent = [line for record in measured for line in concurrent_lines(record)]
    if concurrent:
        print()
        print(rendered([("single searches of", "in flight", "a second", "p50", "p99", "")] + concurrent))
    if options.json:
        cells = [{head: row[head] for head in HEADS} for row in rows]
        options.json.write_text(json.dumps(cells, indent=1) + "\n")
    wrong = any(not bits_equal(record) for record in measured)
    if wrong:
        print("\nSome results differ from the processor's bits, or from those of the same search alone.")
    return 1 if wrong else 0


def read(folder):
    """Every line of the folder's files that is a JSON object."""
    return [
        json.loads(line)
        for file in sorted(folder.glob("*.jsonl"))
        for line in file.read_text().splitlines()
        if line.startswith("{")
    ]


def peer_times(records):
    """(name, size, seconds) of each peer."""
    out = []
    for record in records:
        peer = record.get("peer", "")
        if peer.startswith("torch"):
            size = {key: record[key] for key in ("rows", "dimension", "queries", "k")}
            out.append((peer, {"workload": "rows", **size}, record["medianSeconds"]))
        elif peer == "triton":
            keys = ("queries", "queryVectors", "candidates", "documentVectors", "dimension")
            size = {"workload": "rerank", **{key: record[key] for key in keys}}
            for kind in ("kernel", "call"):
                if record[f"{kind}Seconds"] is not None:
                    out.append((f"triton-{kind}", size, record[f"{kind}Seconds"]))
    return out


def fits(record, size):
    return all(record.get(key) == value for key, value in size.items())


def rows_of(record, limits, peers):
    """One row for each peer of the record's size and each target of it, at least one."""
    own = {name: seconds for name, size, seconds in peers if fits(record, size)}
    targets = [target for target in TARGETS if fits(record, target[0])]
    names = dict.fromkeys([peer for _, peer, _, _ in targets] + list(own))
    for name in names or [None]:
        target = next((t for t in targets if t[1] == name), None)
        yield row_of(record, limits, name, own.get(name), target)


def row_of(record, limits, peer, peer_seconds, target):
    seconds = record["seconds"] if record["workload"] == "transfer" else record["medianSeconds"]
    floor = floor_of(record, limits)
    values = {
        "share": floor / seconds if floor is not None else None,
        "ratio": peer_seconds / seconds if peer_seconds is not None else None,
        "rate": record.get("operationsPerSecond"),
    }
    return {
        "workload": name_of(record),
        "measured": f"{time(seconds)}{rate_of(record)}",
        "floor": time(floor),
        "share": percent(values["share"]),
        "peer": "-" if peer is None else f"{peer} {time(peer_seconds)}",
        "ratio": "-" if values["ratio"] is None else f"{values['ratio']:.2f} x",
        "must": goal(target and target[2]),
        "aim": goal(target and target[3]),
        "result": result(record, values, target),
        "target": target,
    }


def absent(target):
    cells = {head: "-" for head in HEADS}
    size = dict(target[0])
    cells.update(workload=name_of(size), peer=target[1] or "-", must=goal(target[2]), aim=goal(target[3]))
    return {**cells, "result": "not measured", "target": target}


def floor_of(record, limits):
    """The least seconds that the machine allows; None where a limit is not known."""
    if record["workload"] == "transfer":
        rate = limits.get("transferBytesPerSecond")
        return record["vectorBytes"] / rate if rate else None
    copied = limits.get("copyBytesPerSecond")
    multiplied = max(filter(None, [limits.get(f"int8{kind}OperationsPerSecond") for kind in ("", "Group")]), default=None)
    if not copied or not multiplied:
        return None
    pairs = record["queries"] * record["candidates"] if record["workload"] == "rerank" else record["rows"]
    codes = pairs * max(1, record["documentVectors"]) * record["dimension"]
    # Each candidate of a reranked query meets that query alone.
    meetings = record["queryVectors"] * (1 if record["workload"] == "rerank" else record["queries"])
    return max(codes / copied, 2 * codes * meetings / multiplied)


def result(record, values, target):
    if not bits_equal(record):
        return "WRONG BITS"
    if target is None:
        return "-"
    if values[target[2][0]] is None:
        return "not measured"
    if not reached(values, target[2]):
        return "missed"
    return "aim met" if target[3] and reached(values, target[3]) else "met"


def reached(values, wanted):
    kind, least = wanted
    value = values[kind]
    # As fast as a peer is not faster.
    return value is not None and (value > least if (kind, least) == ("ratio", 1) else value >= least)


def bits_equal(record):
    return record.get("bitEqual", True) and all(part["bitEqual"] for part in record.get("concurrent", []))


def goal(wanted):
    if wanted is None:
        return "-"
    kind, least = wanted
    return {"share": f"{least:.0%} of floor", "ratio": f"{least} x peer", "rate": f"{least / 1e12:.0f} Top/s"}[kind]


def count(number):
    for unit, size in (("M", 10**6), ("k", 10**3)):
        if number >= size and number % size == 0:
            return f"{number // size}{unit}"
    return str(number)


def name_of(size):
    if size["workload"] == "transfer":
        return f"transfer of {size['vectorBytes'] / 1e9:.3g} GB ({size['of']})"
    if size["workload"] == "rerank":
        return (
            f"rerank {size['queries']} x {size['candidates']} x {size['documentVectors']} x {size['dimension']}"
            f", {size['queryVectors']} vectors"
        )
    documents = f" x {size['documentVectors']}" if size["workload"] == "documents" else ""
    vectors = f" of {size['queryVectors']}" if size["workload"] == "documents" else ""
    return f"{size['workload']} {count(size['rows'])}{documents} x {size['dimension']}, batch {size['queries']}{vectors}"


def time(seconds):
    if seconds is None or math.isnan(seconds):
        return "-"
    return f"{seconds:.3f} s" if seconds >= 1 else f"{seconds * 1e3:.3f} ms"


def rate_of(record):
    if record["workload"] == "transfer":
        return f", {record['transferBytesPerSecond'] / 1e9:.1f} GB/s"
    if record["workload"] == "rerank":
        return ""
    if record["queries"] * record["queryVectors"] >= 256:
        return f", {record['operationsPerSecond'] / 1e12:.1f} Top/s"
    return f", {record['codeBytesPerSecond'] / 1e9:.1f} GB/s"


def percent(value):
    return "-" if value is None else f"{value:.0%}"


def describe(limits):
    if not limits:
        return "No roofline was measured: no floors."
    group = limits.get("int8GroupOperationsPerSecond")
    return (
        f"{limits['device']}: copies {limits['copyBytesPerSecond'] / 1e12:.2f} TB/s (read plus written), "
        f"bus {limits['transferBytesPerSecond'] / 1e9:.1f} GB/s, "
        f"int8 mma.sync {limits['int8OperationsPerSecond'] / 1e12:.0f} Top/s, "
        f"wgmma {'-' if group is None else f'{group / 1e12:.0f} Top/s'}, "
        f"float64 {limits['float64OperationsPerSecond'] / 1e12:.1f} Top/s\n"
    )


def concurrent_lines(record):
    for part in record.get("concurrent", []):
        p50, p99 = time(part["p50Seconds"]), time(part["p99Seconds"])
        bits = "" if part["bitEqual"] else "WRONG BITS"
        yield name_of(record), str(part["calls"]), f"{part['searchesPerSecond']:.0f}", p50, p99, bits


def rendered(lines):
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


if __name__ == "__main__":
    raise SystemExit(main())
