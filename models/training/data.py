"""Reads pictures of faces and what people saw in them. The pictures are held in memory as bytes.

Two layouts are read: FER+ (a folder, or a .tar.gz of folders, with label.csv of votes beside the pictures) and one
folder per class.
"""

import csv
import io
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from dan import LABELS

# FER+'s columns of votes, as the places of our labels; "unknown" and "NF" (no face) follow them.
COLUMNS = [
    LABELS.index(name) for name in ["neutral", "happy", "surprise", "sad", "anger", "disgust", "fear", "contempt"]
]
SYNONYMS = {
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
    "fearful": "fear",
    "angry": "anger",
    "disgusted": "disgust",
}
SPLITS = {"train": "FER2013Train", "valid": "FER2013Valid"}


@dataclass
class Faces:
    """pictures: uint8 [n, 1, side, side], grey. votes: float32 [n, 8], each row sums to 1.
    majority, plurality: int64 [n], the class by each rule, or -1 if the rule gives none. names: those of the files."""

    pictures: torch.Tensor
    votes: torch.Tensor
    majority: torch.Tensor
    plurality: torch.Tensor
    names: list

    def __len__(self):
        return len(self.pictures)

    def to(self, device):
        return Faces(*(t.to(device) for t in (self.pictures, self.votes, self.majority, self.plurality)), self.names)


def decide(row):
    """Returns, for one row of ten votes, each label's share, and the class by majority and by plurality (-1: no class).

    A column's only vote is dropped first, as a slip. Returns None if "unknown" or "NF" leads, or if no vote is left.
    The rules are those of `mindflow eval` (models/evaluate/dataset).
    """
    counts = np.array([n if n > 1 else 0 for n in row])
    best = int(counts.argmax())
    if counts.sum() == 0 or best >= len(COLUMNS):
        return None
    share = np.zeros(len(LABELS), np.float32)
    share[COLUMNS] = counts[: len(COLUMNS)] / counts[: len(COLUMNS)].sum()
    majority = COLUMNS[best] if 2 * counts[best] > counts.sum() else -1
    return share, majority, COLUMNS[best]


def read(path, split, side):
    """Reads the Faces of a data set. Pictures of another size than side × side are scaled."""
    path = Path(path)
    if path.is_dir() and not (path / "label.csv").exists() and not (path / SPLITS[split]).exists():
        return read_classes(path / split if (path / split).is_dir() else path, side)
    if path.is_dir():
        folder = path / SPLITS[split] if (path / SPLITS[split]).is_dir() else path
        return read_votes((folder / "label.csv").read_text(), lambda name: (folder / name).read_bytes(), side)
    contents = {}
    with tarfile.open(path) as archive:
        for entry in archive:
            if entry.isfile() and Path(entry.name).parent.name == SPLITS[split]:
                contents[Path(entry.name).name] = archive.extractfile(entry).read()
    if "label.csv" not in contents:
        raise SystemExit(
            f"{path}: no {SPLITS[split]}/label.csv in it; give FER+ as an archive or a folder, or one folder per class"
        )
    return read_votes(contents["label.csv"].decode(), contents.__getitem__, side)


def read_votes(text, picture, side):
    rows = []
    for number, row in enumerate(csv.reader(io.StringIO(text)), 1):
        try:
            votes = [int(n) for n in row[-10:]]
        except ValueError:
            if number == 1:
                continue  # names of the columns
            raise SystemExit(f"label.csv, row {number}: {row[-10:]} are no votes")
        if (decided := decide(votes)) is not None:
            rows.append((grey(picture(row[0]), side), *decided, row[0]))
    return gather(rows)


def read_classes(folder, side):
    rows = []
    for sub in sorted(p for p in folder.iterdir() if p.is_dir()):
        name = re.sub(r"^\d+[ _-]*", "", sub.name).lower()
        name = SYNONYMS.get(name, name)
        if name not in LABELS:
            raise SystemExit(f"{sub}: no class of that name; those are {', '.join(LABELS)}")
        label = LABELS.index(name)
        share = np.eye(len(LABELS), dtype=np.float32)[label]
        files = [file for file in sorted(sub.iterdir()) if file.is_file()]
        rows += [(grey(file.read_bytes(), side), share, label, label, f"{sub.name}/{file.name}") for file in files]
    if not rows:
        raise SystemExit(f"{folder}: no pictures in it")
    return gather(rows)


def grey(data, side):
    with Image.open(io.BytesIO(data)) as image:
        image = image.convert("L")
        return np.asarray(
            image if image.size == (side, side) else image.resize((side, side), Image.Resampling.BILINEAR)
        )


def gather(rows):
    pictures, votes, majority, plurality, names = zip(*rows)
    return Faces(
        torch.from_numpy(np.stack(pictures)).unsqueeze(1),
        torch.from_numpy(np.stack(votes)),
        torch.tensor(majority),
        torch.tensor(plurality),
        list(names),
    )
