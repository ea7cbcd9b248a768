#!/usr/bin/env python3
"""Times the scan that PyTorch users write: a matrix product of queries and rows, and topk of it, in chunks of rows.

The rows are unit vectors of normally distributed numbers and stay on the device, in float32 (with tf32 off) and in
bfloat16. The scores of a chunk are written into one buffer, its k best are kept, and the best of all chunks are taken at
the end. Where no chunk is given, several are tried and the fastest is measured. Prints one JSON object a line for each
dtype and number of queries: the median of the seconds that one batch takes on the device, queries and results staying
there, and, for bfloat16, the share of the rows of the float32 answer that it finds (recall).

    torch_scan.py --rows 10000000 --dimension 768 --queries 1024 1
"""

import argparse
import json
import statistics
import time

import torch

DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16}
CHUNKS = (1 << 17, 1 << 18, 1 << 20, 1 << 21)
GENERATED_ROWS = 1 << 18


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--dimension", type=int, default=768)
    parser.add_argument("--queries", type=int, nargs="+", default=[1024], help="queries of a batch")
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=["float32", "bf16"])
    parser.add_argument("--chunk", type=int, default=0, help="rows of a chunk; 0 finds the fastest of several")
    parser.add_argument("--seconds", type=float, default=5, help="to repeat each measurement for")
    parser.add_argument("--device", default="cuda", help="cuda or cpu")
    return parser.parse_args()


def unit_vectors(count, dimension, generator, device):
    """float32, made a block at a time: the normalised copy of all would need the memory twice."""
    out = torch.empty((count, dimension), dtype=torch.float32, device=device)
    for begin in range(0, count, GENERATED_ROWS):
        block = out[begin : begin + GENERATED_ROWS]
        block.normal_(generator=generator)
        block /= block.norm(dim=1, keepdim=True)
    return out


def scan(queries, rows, k, chunk, scores):
    """The k best rows of each query, best first, and their scores."""
    best, found = [], []
    for begin in range(0, rows.shape[0], chunk):
        part = rows[begin : begin + chunk]
        out = scores[: queries.shape[0] * part.shape[0]].view(queries.shape[0], part.shape[0])
        torch.matmul(queries, part.T, out=out)
        values, places = out.topk(min(k, part.shape[0]), dim=1)
        best.append(values)
        found.append(places + begin)
    values, places = torch.cat(best, dim=1).topk(k, dim=1)
    return values, torch.cat(found, dim=1).gather(1, places)


class Timer:
    """Seconds of a piece of work: by events on a CUDA device, by the clock on the processor."""

    def __init__(self, device):
        self.cuda = device == "cuda"

    def __call__(self, work):
        if not self.cuda:
            start = time.perf_counter()
            work()
            return time.perf_counter() - start
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        work()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) / 1000


def median_seconds(timer, work, seconds):
    """The median of at least five runs, after one that warms up; and their number."""
    timer(work)
    taken, until = [], time.perf_counter() + seconds
    while len(taken) < 5 or time.perf_counter() < until:
        taken.append(timer(work))
    return statistics.median(taken), len(taken)


def fastest_chunk(timer, queries, rows, k, chunks):
    """The fastest of the chunks whose scores fit into memory, each tried once after a run that warms up."""
    best = None
    for chunk in chunks:
        try:
            scores = torch.empty(queries.shape[0] * chunk, dtype=rows.dtype, device=rows.device)
            timer(lambda: scan(queries, rows, k, chunk, scores))
            taken = timer(lambda: scan(queries, rows, k, chunk, scores))
        except torch.cuda.OutOfMemoryError:
            continue
        if best is None or taken < best[0]:
            best = (taken, chunk)
    if best is None:
        raise SystemExit("torch_scan: no chunk of scores fits into the device's memory")
    return best[1]


def recall(found, expected):
    """The share of `expected` rows, query by query, that are among the `found` ones."""
    hits = (found.unsqueeze(2) == expected.unsqueeze(1)).any(dim=1)
    return hits.float().mean().item()


def main():
    options = arguments()
    cuda = options.device == "cuda"
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.set_float32_matmul_precision("highest")
    generator = torch.Generator(device=options.device).manual_seed(1)
    rows = unit_vectors(options.rows, options.dimension, generator, options.device)
    batches = [
        unit_vectors(count, options.dimension, generator, options.device) for count in options.queries
    ]
    timer = Timer(options.device)
    # Float32 first: the answers that the other dtype is held to.
    exact = {}
    for name in sorted(options.dtypes, key=lambda name: name != "float32"):
        stored = rows.to(DTYPES[name])
        for queries in batches:
            count = queries.shape[0]
            asked = queries.to(DTYPES[name])
            chunks = sorted({min(chunk, options.rows) for chunk in CHUNKS})
            chunk = options.chunk or fastest_chunk(timer, asked, stored, options.k, chunks)
            scores = torch.empty(count * chunk, dtype=stored.dtype, device=options.device)
            found = scan(asked, stored, options.k, chunk, scores)[1]
            seconds, runs = median_seconds(
                timer, lambda: scan(asked, stored, options.k, chunk, scores), options.seconds
            )
            if name == "float32":
                exact[count] = found
            print(
                json.dumps(
                    {
                        "peer": f"torch-{name}",
                        "rows": options.rows,
                        "dimension": options.dimension,
                        "queries": count,
                        "k": options.k,
                        "chunk": chunk,
                        "medianSeconds": seconds,
                        "runs": runs,
                        "operationsPerSecond": 2 * options.rows * options.dimension * count / seconds,
                        "recall": recall(found, exact[count]) if name != "float32" and count in exact else None,
                        "device": torch.cuda.get_device_name() if cuda else "cpu",
                        "torch": torch.__version__,
                    }
                ),
                flush=True,
            )
            del scores
        del stored


if __name__ == "__main__":
    main()
