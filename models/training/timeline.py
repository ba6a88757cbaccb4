"""Draws the labels of a clip by several models, one above the other.

    python timeline.py --out clip.png before=before.csv after=after.csv

Each table is made by `mindflow video CLIP --csv --smoothing 0s`. The surest face of each frame is drawn.
"""

import argparse
import csv

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from dan import LABELS

# Okabe and Ito's palette, which the colour-blind can tell apart, and grey.
COLOURS = ["#bbbbbb", "#e69f00", "#0072b2", "#56b4e9", "#cc79a7", "#009e73", "#d55e00", "#f0e442"]


def read(path):
    """Times in seconds, and for each label its probabilities at these."""
    with open(path, newline="") as file:
        rows = {row["frame"]: row for row in reversed(list(csv.DictReader(file))) if row["label"]}
    rows = sorted(rows.values(), key=lambda row: float(row["t"]))
    return [float(row["t"]) for row in rows], [[float(row[label]) for row in rows] for label in LABELS]


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("tables", nargs="+", metavar="NAME=CSV")
    p.add_argument("--out", required=True)
    o = p.parse_args()
    figure, axes = plt.subplots(
        len(o.tables), 1, figsize=(8, 2.1 * len(o.tables) + 0.6), sharex=True, squeeze=False, layout="constrained"
    )
    for (place,), table in zip(axes, o.tables):
        name, path = table.split("=", 1)
        times, shares = read(path)
        place.stackplot(times, shares, labels=LABELS, colors=COLOURS)
        place.set(title=name, ylabel="probability", xlim=(times[0], times[-1]), ylim=(0, 1))
    axes[-1][0].set_xlabel("seconds")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside right center")
    figure.savefig(o.out, dpi=110)


if __name__ == "__main__":
    main()
