"""Points of the face mesh (lips, eyes, brows, irises, oval, nose), which the network learns to place as a second task.

The file is an .npz with `Train_names`, `Train_found` (bool [n]) and `Train_points` (uint8 [n, points, 2] as x, y).
value / 255 * 2 - 0.5 is a point's place in fractions of the picture's side.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Points:
    """stored: uint8 [n, points, 2], as in the file. found: bool [n]. mean: float32 [points, 2].
    pair: int64 [points], the point that takes each point's part in a mirrored picture."""

    stored: torch.Tensor
    found: torch.Tensor
    mean: torch.Tensor
    pair: torch.Tensor

    def to(self, device):
        return Points(*(t.to(device) for t in (self.stored, self.found, self.mean, self.pair)))

    def of(self, chosen):
        """Returns the points of the chosen faces, float32 [k, points, 2], in the units of augment."""
        return units(self.stored[chosen])


def units(stored):
    """Converts stored places to units of half a picture from its middle, which are those of F.affine_grid."""
    return stored.float() / 255 * 4 - 2


def read(path, split, names):
    """Reads the Points of the faces with these names. A face that the file does not name counts as not found."""
    with np.load(path) as held:
        row = {name: i for i, name in enumerate(held[f"{split}_names"].tolist())}
        rows = torch.tensor([row.get(name, -1) for name in names])
        stored, found = (torch.from_numpy(held[f"{split}_{what}"]) for what in ("points", "found"))
    found = found[rows] & (rows >= 0)
    if not found.any():
        raise SystemExit(f"{path}: none of the {split} split's faces is in it")
    stored = stored[rows]
    mean = units(stored[found]).mean(dim=0)
    pair = torch.cdist(mean * torch.tensor([-1.0, 1.0]), mean).argmin(dim=1)
    return Points(stored, found, mean, pair)


class PointsHead(nn.Module):
    """forward(maps [n, channels, h, w]) → [n, points, 2]: each point's mean plus an offset, linear in the map."""

    def __init__(self, inputs, mean):
        super().__init__()
        self.register_buffer("mean", mean)
        self.linear = nn.Linear(inputs, mean.numel())
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, maps):
        return self.mean + self.linear(maps.flatten(1)).view(-1, *self.mean.shape)


def points_loss(predicted, points, counted):
    """Smooth L1 between points [n, points, 2], over the faces that are counted (bool [n])."""
    each = F.smooth_l1_loss(predicted, points, beta=0.05, reduction="none").mean(dim=(1, 2))
    return (each * counted).sum() / counted.sum().clamp_min(1)
