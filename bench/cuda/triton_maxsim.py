#!/usr/bin/env python3
"""Times reranking by late interaction as a fused kernel of Triton does it: MaxSim of every query with its own candidates.

One program of the grid takes one query and one candidate: blocks of the document's vectors are multiplied with the query's
(float16, sums in float32), the greatest product of each query vector is kept in registers, and their sum is the score. The
kernel's block, warps and stages are chosen by autotuning. It is compared with PyTorch in float32 on the device before it is
timed. The candidates of one set after another are scored, so that more memory is read than the cache holds. Prints one
JSON object: `kernelSeconds`, by replays of a CUDA graph, for the kernel alone; `callSeconds` from queries and candidates in
host memory to the k best of each query in host memory.

    triton_maxsim.py --queries 32 --candidates 100 --document-vectors 256 --dimension 128
"""

import argparse
import json
import statistics
import time

import torch
import triton
import triton.language as tl

TOLERANCE = 1e-4
CONFIGURATIONS = [
    triton.Config({"BLOCK": block}, num_warps=warps, num_stages=stages)
    for block in (32, 64, 128, 256)
    for warps in (2, 4, 8)
    for stages in (1, 2, 3, 4)
    # More would leave too little shared memory for a second block of a multiprocessor.
    if block * stages <= 512
]


@triton.jit
def maxsim_kernel(
    queries,
    documents,
    candidates,
    scores,
    candidate_count,
    VECTORS: tl.constexpr,
    QUERY_VECTORS: tl.constexpr,
    DIMENSION: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """scores[p] = sum over t of max over v of <queries[p / candidate_count, t], documents[candidates[p], v]>"""
    pair = tl.program_id(0)
    query = (pair // candidate_count).to(tl.int64)
    document = tl.load(candidates + pair).to(tl.int64)
    tokens = tl.arange(0, QUERY_VECTORS)
    places = tl.arange(0, BLOCK)
    columns = tl.arange(0, DIMENSION)
    own = tl.load(queries + query * QUERY_VECTORS * DIMENSION + tokens[:, None] * DIMENSION + columns[None, :])
    vectors = documents + document * VECTORS * DIMENSION
    greatest = tl.full([QUERY_VECTORS], float("-inf"), tl.float32)
    for begin in range(0, VECTORS, BLOCK):
        rows = begin + places
        if VECTORS % BLOCK == 0:
            part = tl.load(vectors + rows[:, None] * DIMENSION + columns[None, :])
            products = tl.dot(own, tl.trans(part))
        else:
            inside = rows < VECTORS
            part = tl.load(vectors + rows[:, None] * DIMENSION + columns[None, :], mask=inside[:, None], other=0.0)
            products = tl.where(inside[None, :], tl.dot(own, tl.trans(part)), float("-inf"))
        greatest = tl.maximum(greatest, tl.max(products, axis=1))
    tl.store(scores + pair, tl.sum(greatest, axis=0))


tuned_kernel = triton.autotune(configs=CONFIGURATIONS, key=["VECTORS", "QUERY_VECTORS", "DIMENSION"])(
    maxsim_kernel
)


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--queries", type=int, default=32)
    parser.add_argument("--query-vectors", type=int, default=32, help="a power of two, at least 16")
    parser.add_argument("--candidates", type=int, default=100, help="documents of each query")
    parser.add_argument("--document-vectors", type=int, default=256)
    parser.add_argument("--dimension", type=int, default=128, help="a power of two, at least 16")
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--sets", type=int, default=4, help="sets of candidates to go through in turn")
    parser.add_argument("--seconds", type=float, default=3, help="to repeat each measurement for")
    parser.add_argument("--device", default="cuda", help="cpu where TRITON_INTERPRET=1: then nothing is timed")
    return parser.parse_args()


class Workload:
    """Documents on the device; queries and, for each set, the candidates of each query."""

    def __init__(self, options):
        self.options = options
        generator = torch.Generator(device=options.device).manual_seed(int(time.time()))
        pairs = options.queries * options.candidates
        self.documents = unit_vectors(
            (options.sets * pairs, options.document_vectors, options.dimension), generator, options.device
        )
        self.queries = unit_vectors(
            (options.queries, options.query_vectors, options.dimension), generator, options.device
        )
        order = torch.randperm(options.sets * pairs, generator=generator, device=options.device)
        self.candidates = order.view(options.sets, options.queries, options.candidates).to(torch.int32)
        self.scores = torch.empty((options.queries, options.candidates), device=options.device)

    def launch(self, queries, candidates):
        """Scores every query's candidates into `scores`."""
        options = self.options
        # Tuning needs a device to time on.
        timed = options.device == "cuda"
        kernel, block = (tuned_kernel, {}) if timed else (maxsim_kernel, {"BLOCK": 32})
        kernel[(options.queries * options.candidates,)](
            queries,
            self.documents,
            candidates,
            self.scores,
            options.candidates,
            VECTORS=options.document_vectors,
            QUERY_VECTORS=options.query_vectors,
            DIMENSION=options.dimension,
            **block,
        )

    def reference(self, candidates):
        """The same scores by PyTorch, from float16 widened to float32."""
        rows = []
        for query, own in zip(self.queries, candidates):
            products = torch.einsum("td,cvd->ctv", query.float(), self.documents[own.long()].float())
            rows.append(products.amax(dim=2).sum(dim=1))
        return torch.stack(rows)

    def largest_error(self):
        """Over all sets, relative to the norm of the reference scores; NaN where a score was not written."""
        errors = []
        for candidates in self.candidates:
            self.scores.fill_(float("nan"))
            self.launch(self.queries, candidates)
            expected = self.reference(candidates)
            errors.append(((self.scores - expected).norm() / expected.norm()).item())
        return max(errors, key=lambda error: (error != error, error))


def unit_vectors(shape, generator, device):
    """float16, a part of the documents at a time."""
    out = torch.empty(shape, dtype=torch.float16, device=device)
    for begin in range(0, shape[0], 1024):
        block = torch.randn((min(1024, shape[0] - begin), *shape[1:]), generator=generator, device=device)
        out[begin : begin + 1024] = block / block.norm(dim=-1, keepdim=True)
    return out


def kernel_seconds(workload, seconds):
    """The median over replays of a graph that goes through all sets once, for one set."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for candidates in workload.candidates:
            workload.launch(workload.queries, candidates)
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    taken, until = [], time.perf_counter() + seconds
    while len(taken) < 10 or time.perf_counter() < until:
        begin.record()
        graph.replay()
        end.record()
        end.synchronize()
        taken.append(begin.elapsed_time(end) / 1000 / workload.candidates.shape[0])
    # The first replay warms up.
    return statistics.median(taken[1:])


def call_seconds(workload, seconds):
    """The median of what a caller waits for, host memory to host memory."""
    k = min(workload.options.k, workload.options.candidates)
    queries = workload.queries.cpu().pin_memory()
    candidates = workload.candidates.cpu().pin_memory()
    taken, until, turn = [], time.perf_counter() + seconds, 0
    while len(taken) < 10 or time.perf_counter() < until:
        start = time.perf_counter()
        asked = candidates[turn % candidates.shape[0]].to("cuda", non_blocking=True)
        workload.launch(queries.to("cuda", non_blocking=True), asked)
        best, places = workload.scores.topk(k, dim=1)
        best.cpu(), asked.gather(1, places).cpu()
        taken.append(time.perf_counter() - start)
        turn += 1
    return statistics.median(taken[1:])


def main():
    options = arguments()
    workload = Workload(options)
    error = workload.largest_error()
    if not error <= TOLERANCE:
        raise SystemExit(f"triton_maxsim: differs from the reference by {error}, relative to its norm")
    timed = options.device == "cuda"
    result = {
        "peer": "triton",
        "queries": options.queries,
        "queryVectors": options.query_vectors,
        "candidates": options.candidates,
        "documentVectors": options.document_vectors,
        "dimension": options.dimension,
        "error": error,
        "kernelSeconds": kernel_seconds(workload, options.seconds) if timed else None,
        "callSeconds": call_seconds(workload, options.seconds) if timed else None,
        "configuration": str(tuned_kernel.best_config) if timed else None,
        "device": torch.cuda.get_device_name() if timed else "cpu, interpreted",
        "triton": triton.__version__,
    }
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
