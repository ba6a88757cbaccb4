"""The command line of train.py."""

import argparse
import math
import sys
from pathlib import Path

import torch


def computes_bf16():
    """Reports whether bfloat16 is quick here. Without AVX-512 it takes eight times as long as float32."""
    return torch.cuda.is_available() or torch.ops.mkldnn._is_mkldnn_bf16_supported()


def arguments():
    p = argparse.ArgumentParser(
        description="Trains DAN on faces with votes; the same command resumes a run that was cut.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    p.add_argument(
        "--data", required=True, help="FER+ as .tar.gz or folder, or one folder per class (with train/ and valid/)"
    )
    p.add_argument("--out", required=True, type=Path, help="folder of the run")
    p.add_argument("--start", help="checkpoint to start from; from random weights without it")
    p.add_argument("--size", type=int, default=96, help="side of the network's input; it is part of the model")
    p.add_argument("--store", type=int, default=48, help="side of the pictures in memory")
    p.add_argument("--epochs", type=float, default=12)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--rate", type=float, default=5e-4, help="highest learning rate")
    p.add_argument(
        "--schedule",
        choices=["cosine", "wsd"],
        default="cosine",
        help="cosine: to zero at the last epoch; wsd: constant after the warm-up, so --epochs can grow later",
    )
    p.add_argument(
        "--branch",
        metavar="LAST.PT",
        help="begin with another run's last.pt; most options may differ from that run's",
    )
    p.add_argument(
        "--decay-epochs",
        type=float,
        default=0.0,
        help="with --branch: let the rate fall to zero as 1 - sqrt over so many epochs",
    )
    p.add_argument("--warmup", type=int, default=200, help="steps up to the highest rate")
    p.add_argument("--decay", type=float, default=0.05, help="weight decay")
    p.add_argument(
        "--average", type=float, default=0.998, help="decay a step of the exponential moving average of the weights"
    )
    p.add_argument("--affinity", type=float, default=0.0, help="weight of the affinity loss")
    p.add_argument("--partition", type=float, default=0.0, help="weight of the partition loss")
    p.add_argument(
        "--balance",
        type=float,
        default=0.0,
        help="draw faces by their classes' priors to minus this power; 0: each face once",
    )
    p.add_argument(
        "--points",
        metavar="NPZ",
        help="points of the faces, to learn as a second task (points.py)",
    )
    p.add_argument("--points-weight", type=float, default=2.0, help="weight of the points' loss")
    p.add_argument("--webcam", type=float, default=0.5, help="share of faces seen as by a poor camera")
    p.add_argument(
        "--scale",
        type=float,
        nargs=2,
        default=[0.85, 1.18],
        metavar=("LOW", "HIGH"),
        help="bounds of the side that is seen, as a factor of the picture's; less than 1 is a closer cut",
    )
    p.add_argument("--rotation", type=float, default=18.0, help="greatest angle of a turned face, in degrees")
    p.add_argument(
        "--cover",
        type=float,
        default=0.4,
        help="greatest side of the rectangle that covers part of a face, as a share of the picture's",
    )
    p.add_argument("--coarse", type=float, default=0.0, help="share of faces seen at 16 to 40 pixels")
    p.add_argument(
        "--mix",
        type=float,
        default=0.0,
        help="share of faces to mix with another face and its votes (CutMix, mixup)",
    )
    p.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    p.add_argument(
        "--precision",
        choices=["bf16", "fp32"],
        default="bf16" if computes_bf16() else "fp32",
        help="of the convolutions",
    )
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--save-every", type=float, default=5, metavar="MINUTES", help="between two checkpoints")
    p.add_argument(
        "--stop-after",
        type=float,
        default=math.inf,
        metavar="MINUTES",
        help="save and stop then; the same command resumes",
    )
    p.add_argument("--stop-at-step", type=int, default=sys.maxsize, help=argparse.SUPPRESS)
    o = p.parse_args()
    if o.decay_epochs > 0 and not o.branch:
        p.error("--decay-epochs needs --branch, the last.pt to begin with")
    return o
