"""The training step that PyTorch users write: two linear towers whose outputs are normalised, InfoNCE in both directions
over the batch with a learned temperature, AdamW. What contrast-oracle.mjs says of the numbers holds here."""

import math

import numpy
import torch
import torch.nn.functional as F
from child import serve

TEMPERATURE, RATE, DECAY = 0.05, 1e-3, 0.01
ANSWERED_STEPS = 3


def open_contender(workloads, threads, vectors, queries):
    torch.set_num_threads(threads)
    pairs, output = (workloads[0][name] for name in ("pairs", "output"))
    numbers = [torch.from_numpy(numpy.array(rows[:pairs])) for rows in (queries, vectors)]
    targets = torch.arange(pairs)

    def stepping():
        """A step from the towers of the one before; returns its loss."""
        towers = [torch.nn.Linear(vectors.shape[1], output) for _ in numbers]
        for layer, rows in zip(towers, numbers):
            with torch.no_grad():
                layer.weight.copy_(rows[:output])
                layer.bias.zero_()
        log_temperature = torch.nn.Parameter(torch.tensor(math.log(TEMPERATURE)))
        weights = [parameter for layer in towers for parameter in layer.parameters()]
        groups = [{"params": weights, "weight_decay": DECAY}, {"params": [log_temperature], "weight_decay": 0}]
        optimiser = torch.optim.AdamW(groups, lr=RATE, foreach=True)

        def step(_queries=None):
            optimiser.zero_grad(set_to_none=True)
            q, d = (F.normalize(layer(rows), dim=1) for layer, rows in zip(towers, numbers))
            logits = (q / log_temperature.exp()) @ d.T
            loss = (F.cross_entropy(logits, targets) + F.cross_entropy(logits.T, targets)) / 2
            loss.backward()
            optimiser.step()
            return loss.item()

        return step

    def answer(_result, _query):
        step = stepping()
        return {"rows": [], "scores": [step() for _ in range(ANSWERED_STEPS)]}

    return lambda _workload: (stepping(), answer)


serve(open_contender)
