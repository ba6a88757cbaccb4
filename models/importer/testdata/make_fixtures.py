"""Writes the checkpoints that the tests import, with PyTorch, and expected.json, what PyTorch computes with them.

usage: python3 make_fixtures.py FOLDER    (PyTorch 1.13 or newer; no GPU, no torchvision)

Weights are of full size, but most are zero and the others take few values, so that a file of 60 MB packs to
some 100 kB; the tests unpack them. Picture b of a case is x[c,i,j] = sin(0.013*(c+1)*i + 0.017*(b+1)*j + 0.5*b).
"""
import gzip
import json
import shutil
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn


def conv_bn(cin, cout, kernel, padding):
    return nn.Sequential(nn.Conv2d(cin, cout, kernel, padding=padding), nn.BatchNorm2d(cout))


class Block(nn.Module):
    """A basic block of ResNet-18."""

    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.downsample = None
        if stride > 1:
            self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


def resnet18():
    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    cin = 64
    for i, cout in enumerate((64, 128, 256, 512)):
        layers.append(nn.Sequential(Block(cin, cout, 1 if i == 0 else 2), Block(cout, cout, 1)))
        cin = cout
    return nn.Sequential(*layers)


class SpatialAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1x1 = conv_bn(512, 256, 1, 0)
        self.conv_3x3 = conv_bn(256, 512, 3, 1)
        self.conv_1x3 = conv_bn(256, 512, (1, 3), (0, 1))
        self.conv_3x1 = conv_bn(256, 512, (3, 1), (1, 0))

    def forward(self, x):
        y = self.conv1x1(x)
        y = torch.relu(self.conv_3x3(y) + self.conv_1x3(y) + self.conv_3x1(y))
        return y.sum(dim=1, keepdim=True)


class ChannelAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.Sequential(
            nn.Linear(512, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 512), nn.Sigmoid())

    def forward(self, x):
        pooled = x.mean(dim=(2, 3))
        return pooled * self.attention(pooled)


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.sa = SpatialAttention()
        self.ca = ChannelAttention()

    def forward(self, x):
        gate = self.sa(x)
        return self.ca(x * gate), gate


class DAN(nn.Module):
    """DAN (arXiv 2109.07270) with the names of the published checkpoints."""

    def __init__(self, classes, heads):
        super().__init__()
        self.features = resnet18()
        self.heads = heads
        for i in range(heads):
            setattr(self, f"cat_head{i}", Head())
        self.fc = nn.Linear(512, classes)
        self.bn = nn.BatchNorm1d(classes)

    def forward(self, x):
        x = self.features(x)
        outs = [getattr(self, f"cat_head{i}")(x) for i in range(self.heads)]
        heads = torch.stack([o for o, _ in outs], dim=1)
        gates = torch.cat([g for _, g in outs], dim=1)
        if self.heads > 1:
            heads = F.log_softmax(heads, dim=1)  # over the heads
        return self.bn(self.fc(heads.sum(dim=1))), gates


def fill(model, seed):
    """Gives weights that pack well and keep the signal's size: one input in 128 counts, by one of eight values."""
    g = torch.Generator().manual_seed(seed)
    for name, t in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            t.fill_(seed)
        elif t.dim() > 1:
            rows, inputs = t.shape[0], t[0].numel()
            keep = max(3, inputs // 128)
            flat = torch.zeros(rows, inputs)
            for row in range(rows):
                at = torch.randint(inputs, (keep,), generator=g)
                flat[row, at] = (torch.randint(8, (keep,), generator=g) - 3.25) / (3 * keep**0.5)
            t.copy_(flat.view_as(t) / (64 if name == "fc.weight" else 1))  # logits of a usual size
        elif name.endswith("running_var"):
            t.copy_(0.5 + torch.randint(8, t.shape, generator=g) / 8)
        else:
            base = 1.0 if name.endswith("weight") else 0.0
            t.copy_(base + (torch.randint(8, t.shape, generator=g) - 3.25) / 16)


def pictures(n, side):
    b, c, i, j = torch.meshgrid(*(torch.arange(k, dtype=torch.float64) for k in (n, 3, side, side)), indexing="ij")
    return torch.sin(0.013 * (c + 1) * i + 0.017 * (b + 1) * j + 0.5 * b).float()


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    optimizer = {"state": {0: {"step": 3, "exp_avg": torch.ones(4)}}, "param_groups": [{"lr": 1e-4, "params": [0]}]}
    fixtures = {
        # name: heads, classes, how the weights are kept, whether in the format before 1.6
        "seven": (4, 7, lambda s: {"iter": 21, "model_state_dict": s, "optimizer_state_dict": optimizer}, False),
        "two-heads": (2, 8, lambda s: {"state_dict": {"module." + k: v for k, v in s.items()}, "arch": "dan"}, False),
        "one-head": (1, 8, lambda s: s, False),
        "legacy": (2, 8, lambda s: {"iter": 5, "model_state_dict": s, "optimizer_state_dict": optimizer}, True),
    }
    expected = {}
    for seed, (name, (heads, classes, keep, legacy)) in enumerate(fixtures.items()):
        model = DAN(classes, heads).eval()
        fill(model, seed + 1)
        state = {k: v.clone() for k, v in model.state_dict().items()}
        model.double()  # so that the expected values are exact
        cases = []
        for n, side in ((2, 64), (1, 96)):
            with torch.no_grad():
                logits, gates = model(pictures(n, side).double())
            cases.append({"batch": n, "size": side, "logits": logits.tolist(), "gates": gates.tolist()})
        expected[name] = {"heads": heads, "classes": classes, "cases": cases}
        path = folder / f"{name}.pth"
        torch.save(keep(state), path, _use_new_zipfile_serialization=not legacy)
        with open(path, "rb") as plain, gzip.GzipFile(f"{path}.gz", "wb", compresslevel=9, mtime=0) as packed:
            shutil.copyfileobj(plain, packed)
        path.unlink()
    (folder / "expected.json").write_text(json.dumps(expected) + "\n")


main(Path(sys.argv[1]))
