"""Makes everything anew that depends on the weights. `python ship.py dan.pth --data FERPLUS.tar.gz --out OUT`

OUT then holds the file that ships, the manifest with its entry, the golden values of the tests, the figures, and
card.md with the tables of the model card. --write copies all but card.md to their places in the repository. README.md
lists what remains to be done by hand.
"""

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import torch
from PIL import Image

import data
import evaluate
import golden
import robust
from dan import LABELS, load
from measure import figures, inputs_of, logits_of
from unfold import initializers, unfold

ROOT = Path(__file__).resolve().parents[2]
NAME, SIZE = "dan-ferplus", 96
CALIBRATION_FACES = 876  # half of them give the ranges, the others compare 8 bits with float32
PLACES = {
    "dan-ferplus.onnx": "models/weights",
    "manifest.json": "models",
    "golden-96.json": "pipeline/ort/testdata",
    "calibration.png": "docs/images",
    "robust.png": "docs/images",
}


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("checkpoint", type=Path)
    p.add_argument("--data", required=True, type=Path, help="FER+ as .tar.gz or folder")
    p.add_argument("--out", required=True, type=Path, help="folder for the results")
    p.add_argument("--mindflow", type=Path, default=ROOT / "bin/mindflow", help="the program, of make build")
    p.add_argument(
        "--uncertain",
        type=float,
        default=0.5,
        help="a confidence below it is shown as uncertain; card.md has the effect of others",
    )
    p.add_argument("--write", action="store_true", help="copy the results to their places in the repository")
    return p.parse_args()


def save_faces(faces, folder):
    """Writes faces of train, evenly thinned, as PNG files in one folder per class."""
    known = (faces.majority >= 0).nonzero().flatten()
    for i in known[torch.linspace(0, len(known) - 1, CALIBRATION_FACES).long()].tolist():
        place = folder / LABELS[faces.majority[i]]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(faces.pictures[i, 0].numpy()).save(place / f"{Path(faces.names[i]).stem}.png")


class Program:
    """The mindflow program with the new model in a folder of its own."""

    def __init__(self, path, models):
        self.path, self.models, self.entry = path, models, models / "new.json"

    def run(self, *arguments):
        return subprocess.run(
            [str(a) for a in (self.path, *arguments, "--models", self.models)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout

    def bring(self, checkpoint, faces):
        print(
            self.run(
                "model",
                "import",
                checkpoint,
                "--name",
                "new",
                "--size",
                SIZE,
                "--grey",
                "--precision",
                "fp16",
                "--calibrate",
                faces,
                "--replace",
            )
        )
        return json.loads(self.entry.read_text())

    def evaluate(self, path, *more):
        return json.loads(self.run("eval", path, "--model", "new", "--json", *more))


def edit(text, entry, checkpoint, report):
    """Returns the manifest's text with the sum, ranges, temperature and figures of the new file in its entry."""
    begin, end = text.index(f'"name": "{NAME}"'), text.index('"recipes"')
    ranges = ", ".join(f'"{name}":~[{low:.6g},~{high:.6g}]' for name, (low, high) in sorted(entry["ranges"].items()))
    ranges = textwrap.fill(
        ranges, 140, initial_indent=" " * 8, subsequent_indent=" " * 8, break_on_hyphens=False, break_long_words=False
    ).replace("~", " ")
    shipped = text[begin:end]
    for pattern, value in [
        (r'(?<="sha256": ")[0-9a-f]{64}', entry["sha256"]),
        (r'(?<="bytes": )\d+', str(entry["bytes"])),
        (r"(?<=\(sha256 )[0-9a-f]{64}", hashlib.sha256(checkpoint.read_bytes()).hexdigest()),
        (r'(?<="temperature": )[\d.]+', f"{entry['temperature']:g}"),
        (r'(?<="uncertain": )[\d.]+', f"{entry['uncertain']:g}"),
        (
            r"accuracy [\d.]+ %, macro recall [\d.]+ %",
            f"accuracy {100 * report['accuracy']:.1f} %, macro recall {100 * report['macro_recall']:.1f} %",
        ),
        (r'(?<="ranges": \{\n)[^}]*(?=\n      \})', ranges),
    ]:
        shipped, count = re.subn(pattern, lambda _: value, shipped)
        if count != 1:
            raise SystemExit(f"the manifest's entry of {NAME} has {count} places like {pattern}, want 1")
    return text[:begin] + shipped + text[end:]


def percent(share, digits=1):
    return "–" if share is None else f"{100 * share:.{digits}f}"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def card(reports, calibration, views, answers):
    """Returns the tables of the model card. views, answers: of the old and the new weights."""
    majority = reports["majority"]
    parts = [
        table(
            ["rule", "pictures", "accuracy", "macro recall", "macro F1", "expected calibration error"],
            [
                [name, r["n"], *(percent(r[k]) for k in ("accuracy", "macro_recall", "macro_f1")), f"{r['ece']:.3f}"]
                for name, r in reports.items()
            ],
        ),
        table(
            ["class (majority)", "pictures", "recall", "precision"],
            [[c["label"], c["n"], percent(c["recall"], 0), percent(c["precision"], 0)] for c in majority["per_class"]],
        ),
        f"Temperature {calibration['temperature']}, fitted on one half of valid. On the other half\n"
        f"({calibration['faces']} pictures, majority) the expected calibration error is {calibration['ece']:.3f}, "
        f"and {calibration['ece_before']:.3f} without it.\n",
        table(
            ["a label is uncertain under", "answered", "right of those", "right of the others"],
            [
                [t["at"], *(percent(t[k]) for k in ("answered", "right", "right_of_the_rest"))]
                for t in calibration["thresholds"]
            ],
        ),
        robust_table(views),
        answers_table(answers),
    ]
    return "\n".join(parts)


def robust_table(views):
    """views: the result of robust.robust for each name."""
    rows = [
        [name, *(f"{percent(v[name]['accuracy'])} / {percent(v[name]['macro_recall'])}" for v in views.values())]
        for name in robust.VIEWS
    ]
    return table(["accuracy / macro recall, majority, %", *views], rows)


def answers_table(answers):
    """answers: the result of robust.answers for each name."""
    keys = ("neutral", "right", "uncertain")
    rows = [
        [c, row["faces"], *(percent(a[c][k]) for k in keys for a in answers.values())]
        for c, row in next(iter(answers.values())).items()
    ]
    heads = {"neutral": "confident neutral", "right": "right", "uncertain": "uncertain"}
    return table(
        ["votes of 70 % or more for", "faces", *(f"{heads[k]}, {name}, %" for k in keys for name in answers)], rows
    )


def main():
    o = arguments()
    o.out.mkdir(parents=True, exist_ok=True)
    program = Program(o.mindflow, o.out / "models")
    save_faces(data.read(o.data, "train", 48), o.out / "faces")
    entry = program.bring(o.checkpoint, o.out / "faces")
    shutil.copy(program.models / entry["file"], o.out / "dan-ferplus.onnx")

    # From here on the weights are those of the file, in half precision.
    nets = {
        "before": unfold(initializers(ROOT / "models/weights/dan-ferplus.onnx")),
        "new": unfold(initializers(o.out / "dan-ferplus.onnx")),
    }
    torch.save(nets["new"].state_dict(), o.out / "dan.pth")
    (o.out / "golden-96.json").write_text(json.dumps(golden.golden(load(o.out / "dan.pth"))))
    valid, views, answers = data.read(o.data, "valid", 48), {}, {}
    for name, net in nets.items():
        logits = logits_of(net, inputs_of(valid, SIZE), "cpu")
        calibration, confidence, right = evaluate.calibrate(logits, valid.majority)
        answers[name] = robust.answers(logits, valid, calibration["temperature"], uncertain=o.uncertain)
        views[name] = robust.robust(net, valid, SIZE, "cpu")
    evaluate.draw(confidence, right, o.out / "calibration.png")
    robust.draw(views, o.out / "robust.png")

    entry |= {"temperature": calibration["temperature"], "uncertain": o.uncertain}
    program.entry.write_text(json.dumps(entry, indent=1))
    reports = {
        "majority": program.evaluate(o.data),
        "plurality": program.evaluate(o.data, "--rule", "plurality"),
        "majority, int8": program.evaluate(o.data, "--precision", "int8"),
    }
    same = abs(reports["majority"]["accuracy"] - figures(logits, valid.majority)["accuracy"])
    if same > 0.002:
        raise SystemExit(f"mindflow eval and evaluate.py differ by {same:.4f} in accuracy")
    (o.out / "card.md").write_text(card(reports, calibration, views, answers))
    (o.out / "manifest.json").write_text(
        edit((ROOT / "models/manifest.json").read_text(), entry, o.checkpoint, reports["majority"])
    )
    if o.write:
        for file, folder in PLACES.items():
            shutil.copy(o.out / file, ROOT / folder / file)
    print((o.out / "card.md").read_text())


if __name__ == "__main__":
    main()
