"""Measures a network on faces of known expression. The rules and figures are those of `mindflow eval`."""

import torch

from augment import Draw, camera, normalise, prepare, resize


@torch.inference_mode()
def logits_of(net, inputs, device, flip=False, batch=256):
    """Returns logits [n, classes] for inputs [n, 3, size, size]; with flip, averaged with the mirrored pictures'."""
    rows = []
    for some in inputs.split(batch):
        some = some.to(device)
        out = net(some)[0]
        rows.append(((out + net(some.flip(3))[0]) / 2 if flip else out).float().cpu())
    return torch.cat(rows)


def inputs_of(faces, size, webcam=False):
    """Returns the network's inputs. With webcam each face is seen as by a poor camera (seed 1)."""
    if not webcam:
        return prepare(faces.pictures, size)
    return normalise(camera(resize(faces.pictures.float() / 255, size), Draw("cpu", 1)))


def figures(logits, classes, temperature=1.0):
    """Returns the figures of the faces that have a class. The expected calibration error has 15 bins of equal width."""
    known = classes >= 0
    logits, classes = logits[known], classes[known]
    confidence, said = (logits / temperature).softmax(1).max(1)
    right = said == classes
    recall = [
        right[classes == c].float().mean().item() if (classes == c).any() else None for c in range(logits.shape[1])
    ]
    there = [r for r in recall if r is not None]
    return {
        "faces": int(known.sum()),
        "accuracy": right.float().mean().item(),
        "macro_recall": sum(there) / len(there),
        "recall": recall,
        "ece": calibration_error(confidence, right),
    }


def calibration_error(confidence, right, bins=15):
    error = 0.0
    place = (confidence * bins).long().clamp(max=bins - 1)
    for b in range(bins):
        inside = place == b
        if inside.any():
            error += (
                confidence[inside].mean() - right[inside].float().mean()
            ).abs().item() * inside.float().mean().item()
    return error


def fit_temperature(logits, classes):
    """Returns the temperature in 0.3 … 3 with the least negative log-likelihood (arXiv 1706.04599)."""
    known = classes >= 0
    grid = torch.linspace(0.3, 3.0, 271)
    losses = [torch.nn.functional.cross_entropy(logits[known] / t, classes[known]).item() for t in grid]
    return round(grid[losses.index(min(losses))].item(), 2)
