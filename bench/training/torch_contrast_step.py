#!/usr/bin/env python3
"""One side of contrast-steps.mjs: the training step that PyTorch users write.

Two linear towers whose outputs are normalised, InfoNCE in both directions over the batch with a learned temperature,
AdamW. Reads a JSON request as its argument: threads, batch, input, output, rate, temperature and files of raw float32
(queries, documents, queryWeight, documentWeight). Then takes a step per line of its input, and prints seconds, seconds of
the processor and the loss of each.
"""

import json
import math
import sys
import time

import numpy
import torch
import torch.nn.functional as F


def load(path, columns):
    return torch.from_numpy(numpy.fromfile(path, dtype=numpy.float32).reshape(-1, columns))


def tower(path, request):
    layer = torch.nn.Linear(request["input"], request["output"])
    with torch.no_grad():
        layer.weight.copy_(load(path, request["input"]))
        layer.bias.zero_()
    return layer


def main():
    request = json.loads(sys.argv[1])
    torch.set_num_threads(request["threads"])
    files = request["files"]
    queries, documents = (load(files[name], request["input"]) for name in ("queries", "documents"))
    query_tower, document_tower = (tower(files[name], request) for name in ("queryWeight", "documentWeight"))
    log_temperature = torch.nn.Parameter(torch.tensor(math.log(request["temperature"])))
    weights = [*query_tower.parameters(), *document_tower.parameters()]
    groups = [{"params": weights, "weight_decay": 0.01}, {"params": [log_temperature], "weight_decay": 0}]
    optimiser = torch.optim.AdamW(groups, lr=request["rate"], foreach=True)
    targets = torch.arange(request["batch"])

    def step():
        optimiser.zero_grad(set_to_none=True)
        q = F.normalize(query_tower(queries), dim=1)
        d = F.normalize(document_tower(documents), dim=1)
        logits = (q / log_temperature.exp()) @ d.T
        loss = (F.cross_entropy(logits, targets) + F.cross_entropy(logits.T, targets)) / 2
        loss.backward()
        optimiser.step()
        return loss.item()

    for _ in sys.stdin:
        start, processor = time.perf_counter(), time.process_time()
        loss = step()
        seconds, used = time.perf_counter() - start, time.process_time() - processor
        print(json.dumps({"seconds": seconds, "cpuSeconds": used, "loss": loss}), flush=True)


main()
