"""Makes a checkpoint from a DAN that `mindflow model import` wrote. `python unfold.py dan-ferplus.onnx dan.pth`

The import folds batch norms into their convolutions and adds up the three parallel convolutions of a head. That cannot
be undone. The checkpoint has batch norms that change nothing and convolutions of zeros instead, so it computes in
PyTorch's layers what the file does, with the same rounded weights.
"""

import sys

import numpy
import onnx
import torch

from dan import DAN


def initializers(path):
    """Returns float32 arrays by name. The ".half" in the names of weights in half precision is removed."""
    graph = onnx.load(path).graph
    return {
        t.name.removesuffix(".half"): onnx.numpy_helper.to_array(t).astype(numpy.float32) for t in graph.initializer
    }


def unfold(values):
    heads, classes = len(values["heads.reduce.weight"]), len(values["fc.bias"])
    net = DAN(classes, heads).eval()
    state = {name: torch.zeros_like(value) for name, value in net.state_dict().items()}
    for name, module in net.named_modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            state[f"{name}.weight"].fill_(1)
            state[f"{name}.running_var"].fill_(1 - module.eps)

    def put(layer, norm, weight, bias):
        state[f"{layer}.weight"].copy_(torch.from_numpy(weight))
        state[f"{norm}.bias"].copy_(torch.from_numpy(bias))

    put("features.0", "features.1", values["features.0.weight"], values["features.0.bias"])
    for name in list(values):
        block, _, layer = name.removesuffix(".weight").rpartition(".")
        if not name.endswith(".weight") or layer not in ("conv1", "conv2", "downsample"):
            continue
        inner = {"conv1": ("conv1", "bn1"), "conv2": ("conv2", "bn2"), "downsample": ("downsample.0", "downsample.1")}[
            layer
        ]
        put(*(f"{block}.{part}" for part in inner), values[name], values[f"{block}.{layer}.bias"])
    squeezed = zip(numpy.split(values["heads.squeeze.weight"], heads), numpy.split(values["heads.squeeze.bias"], heads))
    for i, (weight, bias) in enumerate(squeezed):
        head = f"cat_head{i}"
        put(f"{head}.sa.conv1x1.0", f"{head}.sa.conv1x1.1", weight, bias)
        put(
            f"{head}.sa.conv_3x3.0",
            f"{head}.sa.conv_3x3.1",
            values[f"{head}.spread.weight"],
            values[f"{head}.spread.bias"],
        )
        put(
            f"{head}.ca.attention.0",
            f"{head}.ca.attention.1",
            values["heads.reduce.weight"][i].T.copy(),
            values["heads.reduce.bias"][i, 0],
        )
        state[f"{head}.ca.attention.3.weight"].copy_(torch.from_numpy(values["heads.restore.weight"][i].T.copy()))
        state[f"{head}.ca.attention.3.bias"].copy_(torch.from_numpy(values["heads.restore.bias"][i, 0]))
    put("fc", "bn", values["fc.weight"], values["fc.bias"])
    net.load_state_dict(state)
    return net


if __name__ == "__main__":
    torch.save(unfold(initializers(sys.argv[1])).state_dict(), sys.argv[2])
