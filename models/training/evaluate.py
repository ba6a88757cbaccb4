"""Measures checkpoints on FER+ valid. `python evaluate.py --data FERPLUS.tar.gz dan.pth --calibrate --plot risk.png`

The figures are those of `mindflow eval`. --calibrate fits the temperature on one half of the faces and reports on the
other. --robust measures the robustness set (robust.py). --answers counts how faces of rare expressions are labelled.
"""

import argparse
import json
from pathlib import Path

import torch

import data
import robust
from dan import LABELS, load
from measure import figures, fit_temperature, inputs_of, logits_of


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("checkpoints", nargs="+")
    p.add_argument("--data", required=True, help="FER+ as .tar.gz or folder, or one folder per class")
    p.add_argument("--size", type=int, default=96, help="side of the network's input")
    p.add_argument("--store", type=int, default=48, help="side of the pictures in memory")
    p.add_argument("--temperature", type=float, default=1.0)
    p.add_argument("--flip", action="store_true", help="average with the mirrored picture")
    p.add_argument("--webcam", action="store_true", help="measure faces seen as by a poor camera")
    p.add_argument(
        "--calibrate",
        action="store_true",
        help="fit the temperature, report the error on the other half and the effect of thresholds",
    )
    p.add_argument("--robust", action="store_true", help="measure the views of the robustness set")
    p.add_argument(
        "--answers",
        action="store_true",
        help="count how faces whose votes agree on a rare expression are labelled, with the temperature of --calibrate",
    )
    p.add_argument(
        "--names", nargs="+", help="names of the checkpoints in the plot of --robust; their paths by default"
    )
    p.add_argument(
        "--plot",
        type=Path,
        help="draw to this file: with --calibrate reliability and risk against coverage, with --robust its rows",
    )
    p.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    o = p.parse_args()
    if o.plot and o.calibrate == o.robust:
        p.error("--plot draws either --calibrate or --robust")
    if o.names and len(o.names) != len(o.checkpoints):
        p.error(f"{len(o.names)} names for {len(o.checkpoints)} checkpoints")
    return o


def halves(n):
    """Returns the places of two halves of the faces, the same in every run."""
    order = torch.randperm(n, generator=torch.Generator().manual_seed(0))
    return order[: n // 2], order[n // 2 :]


def calibrate(logits, classes):
    """Fits the temperature on one half. Returns the report, confidence and correctness of the other."""
    one, other = halves(len(classes))
    temperature = fit_temperature(logits[one], classes[one])
    logits, classes = logits[other], classes[other]
    known = classes >= 0
    confidence, said = (logits[known] / temperature).softmax(1).max(1)
    right = said == classes[known]
    thresholds = [round(0.3 + 0.05 * i, 2) for i in range(13)]
    kept = [(t, confidence >= t) for t in thresholds]
    return (
        {
            "temperature": temperature,
            "ece_before": figures(logits, classes)["ece"],
            "ece": figures(logits, classes, temperature)["ece"],
            "faces": int(known.sum()),
            "thresholds": [
                {
                    "at": t,
                    "answered": k.float().mean().item(),
                    "right": right[k].float().mean().item(),
                    "right_of_the_rest": right[~k].float().mean().item() if (~k).any() else None,
                }
                for t, k in kept
                if k.any()
            ],
        },
        confidence,
        right,
    )


def draw(confidence, right, path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, axes) = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
    place = (confidence * 15).long().clamp(max=14)
    bins = [b for b in range(15) if (place == b).sum() >= 10]
    left.plot([0, 1], [0, 1], color="grey", linewidth=1)
    left.plot(
        [confidence[place == b].mean() for b in bins], [right[place == b].float().mean() for b in bins], marker="o"
    )
    left.set(title="reliability", xlabel="confidence", ylabel="share right", xlim=(0, 1), ylim=(0, 1))
    order = confidence.argsort(descending=True)
    risk = 1 - right[order].float().cumsum(0) / torch.arange(1, len(order) + 1)
    axes.plot(torch.arange(1, len(order) + 1) / len(order), risk)
    axes.set(
        title="risk against coverage",
        xlabel="share answered, most confident first",
        ylabel="share wrong of those",
        ylim=(0, None),
    )
    for a in (left, axes):
        a.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def main():
    o = arguments()
    faces = data.read(o.data, "valid", o.store)
    inputs, views = inputs_of(faces, o.size, o.webcam), {}
    for name, path in zip(o.names or o.checkpoints, o.checkpoints):
        net = load(path, o.device)
        logits = logits_of(net, inputs, o.device, o.flip)
        said = {"checkpoint": path, "size": o.size, "labels": LABELS}
        said["majority"] = figures(logits, faces.majority, o.temperature)
        said["plurality"] = figures(logits, faces.plurality, o.temperature)
        if o.calibrate:
            said["calibration"], confidence, right = calibrate(logits, faces.majority)
            if o.plot:
                draw(confidence, right, o.plot)
        if o.answers:
            temperature = calibrate(logits, faces.majority)[0]["temperature"]
            said["answers"] = {"temperature": temperature} | robust.answers(logits, faces, temperature)
        if o.robust:
            said["robust"] = views[name] = robust.robust(net, faces, o.size, o.device)
        print(json.dumps(said, indent=1), flush=True)
    if o.robust and o.plot:
        robust.draw(views, o.plot)


if __name__ == "__main__":
    main()
