"""Draws the log of a run."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SHOWN = {
    "majority_accuracy": "accuracy, majority",
    "plurality_accuracy": "accuracy, plurality",
    "webcam_accuracy": "accuracy, majority, poor camera",
    "plurality_macro_recall": "macro recall, plurality",
}


def draw(log, path):
    """log: train.py's lines. path: the picture to write."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    epochs = [line["epoch"] for line in log]
    left.plot(epochs, [line["loss"] for line in log], marker=".")
    left.set(title="loss on train", xlabel="epoch")
    for key, name in SHOWN.items():
        right.plot(epochs, [100 * line[key] for line in log], marker=".", label=name)
    right.set(title="averaged weights on valid, %", xlabel="epoch")
    right.legend(fontsize=7)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)
