"""The Python side of a contender's process: reads commands line by line, answers on file descriptor 3."""

import json
import os
import sys
import time

import numpy


def serve(open_contender):
    """`open_contender(workload, threads, vectors)` returns search(queries) and hits(result, query)."""
    request = json.loads(sys.argv[1])
    workload, dataset, rotation = request["workload"], request["dataset"], request["queryCount"]
    replies = os.fdopen(3, "w")

    def reply(value):
        replies.write(json.dumps(value) + "\n")
        replies.flush()

    dimension = dataset["dimension"]
    vectors = numpy.memmap(dataset["vectors"], dtype="<f4", mode="r", shape=(dataset["rows"], dimension))
    queries = numpy.fromfile(dataset["queries"], dtype="<f4").reshape(-1, dimension)
    search, hits = open_contender(workload, request["threads"], vectors)
    per_call = workload.get("queryVectors") or workload["batch"]

    def part(call):
        first = call % rotation if workload["batch"] == 1 else 0
        return queries[first * per_call : (first + 1) * per_call]

    reply({"elementBytes": 4, "arithmetic": "f32"})
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "time":
            seconds = []
            start = time.perf_counter()
            while len(seconds) < command["least"] or (
                time.perf_counter() - start < command["seconds"] and len(seconds) < command["most"]
            ):
                before = time.perf_counter()
                search(part(len(seconds)))
                seconds.append(time.perf_counter() - before)
            reply({"seconds": seconds})
        elif command["do"] == "answer":
            if workload["batch"] > 1:
                result = search(part(0))
                reply({"answers": [hits(result, query) for query in command["queries"]]})
            else:
                reply({"answers": [hits(search(part(query)), 0) for query in command["queries"]]})
        else:
            return
