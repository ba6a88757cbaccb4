"""The robustness set: FER+ valid as other cameras and detectors would show it, measured by `evaluate.py --robust`.

A view is the same in every run: its random numbers have a fixed seed. Pixels are those of FER+'s pictures, whose side
is 48, and scale with the input.
"""

import math

import torch
import torch.nn.functional as F

from augment import Draw, camera, jpeg, normalise, resize
from dan import LABELS
from measure import figures, logits_of


def view(x, scale=1.0, degrees=0.0):
    """Returns the square of scale times the side around the middle, and turns the face counterclockwise by degrees.

    Pixels outside the picture repeat its edge.
    """
    cos, sin = (scale * f(math.radians(degrees)) for f in (math.cos, math.sin))
    grid = F.affine_grid(
        torch.tensor([[[cos, -sin, 0.0], [sin, cos, 0.0]]]).expand(len(x), 2, 3), x.shape, align_corners=False
    )
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def blurred(x, sigma=1.5):
    sigma *= x.shape[-1] / 48
    reach = math.ceil(3 * sigma)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = kernel / kernel.sum()
    x = F.conv2d(F.pad(x, (reach, reach, reach, reach), mode="replicate"), kernel.view(1, 1, 1, -1))
    return F.conv2d(x, kernel.view(1, 1, -1, 1))


def dark(x, gain=0.2, noise=0.02):
    return (x * gain + noise * Draw("cpu", 1).noise(x)).clamp(0, 1)


def half_covered(x):
    """Covers half of each face with grey: by turns the upper, the lower, the left and the right half."""
    half, x = x.shape[-1] // 2, x.clone()
    x[0::4, :, :half], x[1::4, :, half:], x[2::4, :, :, :half], x[3::4, :, :, half:] = 0.5, 0.5, 0.5, 0.5
    return x


# Each view takes and returns float32 [n, 1, size, size] in 0 … 1, at the network's size.
VIEWS = {
    "plain": lambda x: x,
    "close cut (zoom 1.2)": lambda x: view(x, scale=1 / 1.2),
    "wide cut (zoom 0.8)": lambda x: view(x, scale=1 / 0.8),
    "24 pixels": lambda x: resize(resize(x, 24), x.shape[-1]),
    "blurred": blurred,
    "dark": dark,
    "JPEG 20": lambda x: jpeg(x, [20] * len(x)),
    "turned by +20°": lambda x: view(x, degrees=20),
    "turned by -20°": lambda x: view(x, degrees=-20),
    "half covered": half_covered,
    "poor camera": lambda x: camera(x, Draw("cpu", 1)),
}


def robust(net, faces, size, device):
    """Returns accuracy and macro recall for each view, of the faces with a majority."""
    known, rows = faces.majority >= 0, {}
    for name, see in VIEWS.items():
        x = see(resize(faces.pictures.float() / 255, size))
        got = figures(logits_of(net, normalise(x[known]), device), faces.majority[known])
        rows[name] = {k: got[k] for k in ("faces", "accuracy", "macro_recall")}
    return rows


RARE = ["anger", "fear", "disgust", "contempt"]


def answers(logits, faces, temperature, votes=0.7, sure=0.7, uncertain=0.5):
    """Returns how often faces of rare expressions are called neutral with confidence, labelled right, or uncertain."""
    confidence, said = (logits / temperature).softmax(1).max(1)
    rows = {}
    for name in [*RARE, "all four"]:
        classes = [LABELS.index(c) for c in (RARE if name == "all four" else [name])]
        share, wanted = faces.votes[:, classes].max(1)
        these = share >= votes
        right = said == torch.tensor(classes)[wanted]
        parts = {
            "neutral": (said == LABELS.index("neutral")) & (confidence > sure),
            "right": right & (confidence >= uncertain),
            "uncertain": confidence < uncertain,
        }
        rows[name] = {"faces": int(these.sum())} | {
            k: part[these].float().mean().item() if these.any() else None for k, part in parts.items()
        }
    return rows


def draw(checkpoints, path):
    """Draws bars for each view. checkpoints: the result of robust for each name."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, both = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
    thick = 0.8 / len(checkpoints)
    for axes, key, title in zip(
        both, ("accuracy", "macro_recall"), ("accuracy, majority, %", "macro recall, majority, %")
    ):
        for i, (name, rows) in enumerate(checkpoints.items()):
            bars = axes.barh(
                [k + i * thick for k in range(len(rows))], [100 * row[key] for row in rows.values()], thick, label=name
            )
            axes.bar_label(bars, fmt="%.1f", fontsize=6, padding=2)
        axes.set(
            title=title, yticks=[k + 0.4 - thick / 2 for k in range(len(rows))], yticklabels=list(rows), xlim=(0, 100)
        )
        axes.grid(alpha=0.3, axis="x")
    both[0].invert_yaxis()
    both[1].legend(fontsize=7, loc="lower right")
    figure.savefig(path, dpi=110)
    plt.close(figure)
