"""Prints what a checkpoint computes for pictures given by a formula: the reference of the tests.

python golden.py dan.pth > golden-96.json
"""

import json
import sys

import torch

from dan import load

BATCH, SIZE = 3, 96
FORMULA = "sin(0.013 (c+1) i + 0.017 (b+1) j + 0.5 b)"


def waves(batch, size):
    """float32 [batch, 3, size, size]: FORMULA for channel c, row i and column j of picture b."""
    b, c, i, j = torch.meshgrid(*(torch.arange(k, dtype=torch.float64) for k in (batch, 3, size, size)), indexing="ij")
    return torch.sin(0.013 * (c + 1) * i + 0.017 * (b + 1) * j + 0.5 * b).float()


def rounded(values):
    return json.loads(json.dumps(values.tolist()), parse_float=lambda text: float(f"{float(text):.7g}"))


@torch.inference_mode()
def golden(net):
    """Returns the network's logits and attention gates for waves."""
    gates = []
    for i in range(net.heads):
        getattr(net, f"cat_head{i}").sa.register_forward_hook(lambda module, inputs, gate: gates.append(gate))
    logits = net(waves(BATCH, SIZE))[0]
    case = {"batch": BATCH, "size": SIZE, "logits": rounded(logits), "gates": rounded(torch.cat(gates, dim=1))}
    return {"input": FORMULA, "cases": [case]}


if __name__ == "__main__":
    json.dump(golden(load(sys.argv[1])), sys.stdout)
