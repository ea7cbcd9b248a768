"""The Python side of a contender's process: the same commands and answers as in child.mjs."""

import json
import os
import sys
import time

import numpy


def serve(open_contender):
    """`open_contender(workloads, threads, vectors, queries)` returns prepare(workload), and that search(queries) and
    hits(result, query)."""
    request = json.loads(sys.argv[1])
    workloads, dataset, rotations = request["workloads"], request["dataset"], request["rotations"]
    replies = os.fdopen(3, "w")

    def reply(value):
        replies.write(json.dumps(value) + "\n")
        replies.flush()

    dimension = dataset["dimension"]
    vectors = numpy.memmap(dataset["vectors"], dtype="<f4", mode="r", shape=(dataset["rows"], dimension))
    queries = numpy.fromfile(dataset["queries"], dtype="<f4").reshape(-1, dimension)
    prepare = open_contender(workloads, request["threads"], vectors, queries)

    def part(place, call, count):
        vectors_per_query = workloads[place].get("queryVectors", 1)
        first = call % rotations[place] if workloads[place]["batch"] == 1 else 0
        return queries[first * vectors_per_query : (first + count) * vectors_per_query]

    reply({})
    prepared, last = {}, None
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "end":
            return
        place, count = command["workload"], command["queries"]
        if place not in prepared:
            prepared[place] = prepare(workloads[place])
        search, hits = prepared[place]
        if command["do"] == "time":
            seconds = []
            start, cpu = time.perf_counter(), time.process_time()
            while len(seconds) < command["least"] or (
                time.perf_counter() - start < command["seconds"] and len(seconds) < command["most"]
            ):
                queries_of_call = part(place, command["from"] + len(seconds), count)
                before = time.perf_counter()
                result = search(queries_of_call)
                seconds.append(time.perf_counter() - before)
                last = (place, count, result)
            cpu_seconds = time.process_time() - cpu
            reply({"seconds": seconds, "cpuSeconds": cpu_seconds, "elementBytes": 4, "arithmetic": "f32"})
        elif workloads[place]["batch"] > 1:
            known = last is not None and last[:2] == (place, count)
            result = last[2] if known else search(part(place, 0, count))
            reply({"answers": [hits(result, query) for query in command["sample"]]})
        else:
            answers = [hits(search(part(place, query, 1)), 0) for query in command["sample"]]
            reply({"answers": answers})
