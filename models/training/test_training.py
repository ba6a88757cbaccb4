"""Tests of the trainer, run by `make test-training`. They need requirements.txt, but no data set."""

import io
import json
import tarfile
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import data
import robust
import ship
from augment import Draw, Strength, augment, mix, move, move_points, prepare
from dan import DAN, LABELS, load
from golden import golden, waves
from losses import AffinityLoss, partition_loss
from measure import calibration_error, figures, fit_temperature
from unfold import initializers, unfold

HERE = Path(__file__).parent
SHARED = HERE / "../../../shared"


def png(value, side=48):
    held = io.BytesIO()
    Image.fromarray(np.full((side, side), value, np.uint8)).save(held, "PNG")
    return held.getvalue()


def folders(root, count=12):
    """Makes a data set of folders: noise whose mean depends on the class."""
    chance = np.random.default_rng(0)
    for split in ("train", "valid"):
        for label in LABELS:
            place = root / split / label
            place.mkdir(parents=True)
            for i in range(count):
                picture = np.clip(chance.normal(20 + 30 * LABELS.index(label), 10, (48, 48)), 0, 255).astype(np.uint8)
                Image.fromarray(picture).save(place / f"{i}.png")


class Votes(unittest.TestCase):
    def test_rules(self):
        # neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, NF
        for row, majority, plurality in [
            ([4, 0, 0, 3, 0, 2, 0, 0, 1, 0], None, "neutral"),
            ([0, 6, 1, 1, 1, 0, 0, 0, 1, 0], "happy", "happy"),
            ([0, 0, 0, 0, 0, 3, 0, 3, 0, 0], None, "disgust"),
            ([0, 0, 4, 0, 0, 0, 0, 0, 4, 0], None, "surprise"),
        ]:
            share, m, p = data.decide(row)
            self.assertEqual((LABELS[m] if m >= 0 else None, LABELS[p]), (majority, plurality), row)
            self.assertAlmostEqual(float(share.sum()), 1, places=6)
        for row in [[1] * 10, [0, 0, 0, 2, 0, 0, 0, 0, 5, 0], [2, 0, 0, 0, 0, 0, 0, 0, 0, 3]]:
            self.assertIsNone(data.decide(row), row)

    def test_archive_and_folder_are_alike(self):
        table = "a.png,box,8,0,0,0,0,0,0,2,0,0\nb.png,box,0,9,0,0,0,0,0,0,1,0\nc.png,box,0,0,0,0,0,0,0,0,9,0\n"
        files = {"label.csv": table.encode(), "a.png": png(10), "b.png": png(200), "c.png": png(0)}
        with tempfile.TemporaryDirectory() as root:
            folder = Path(root) / "FER2013Train"
            folder.mkdir()
            with tarfile.open(Path(root) / "set.tar.gz", "w:gz") as archive:
                for name, content in files.items():
                    (folder / name).write_bytes(content)
                    archive.add(folder / name, f"FER2013Train/{name}")
            for path in (root, folder, Path(root) / "set.tar.gz"):
                faces = data.read(path, "train", 48)
                self.assertEqual(faces.pictures[:, 0, 0, 0].tolist(), [10, 200])
                self.assertEqual(faces.majority.tolist(), [LABELS.index("neutral"), LABELS.index("happy")])
                self.assertAlmostEqual(faces.votes[0, LABELS.index("contempt")].item(), 0.2, places=6)

    def test_folders_of_classes(self):
        with tempfile.TemporaryDirectory() as root:
            for name, value in [("0_Happiness", 9), ("anger", 90)]:
                (Path(root) / name).mkdir()
                (Path(root) / name / "x.png").write_bytes(png(value, 60))
            faces = data.read(root, "train", 48)
            self.assertEqual([LABELS[c] for c in faces.majority], ["happy", "anger"])
            self.assertEqual(tuple(faces.pictures.shape), (2, 1, 48, 48))
            (Path(root) / "bored").mkdir()
            with self.assertRaisesRegex(SystemExit, "bored.*neutral, happy"):
                data.read(root, "train", 48)


class Augmentation(unittest.TestCase):
    def test_seeded_and_finite(self):
        pictures = torch.randint(0, 256, (16, 1, 48, 48), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
        strong = Strength(scale=(0.75, 1.3), rotation=30, cover=0.6, coarse=0.5)
        for strength in (Strength(), strong):
            self.check_seeded_and_finite(pictures, strength)

    def check_seeded_and_finite(self, pictures, strength):
        one, same = (augment(pictures, 96, Draw("cpu", 7), strength)[0] for _ in range(2))
        other = augment(pictures, 96, Draw("cpu", 8), strength)[0]
        self.assertEqual(tuple(one.shape), (16, 3, 96, 96))
        self.assertTrue(torch.equal(one, same) and not torch.equal(one, other))
        low, high = prepare(torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 1, 48, 48), 96).amin(
            (2, 3)
        )
        for channel in range(3):
            self.assertGreaterEqual(one[:, channel].min(), low[channel] - 1e-4)
            self.assertLessEqual(one[:, channel].max(), high[channel] + 1e-4)

    def test_large_pictures_shrink(self):
        pictures = torch.zeros(2, 1, 200, 200, dtype=torch.uint8)
        self.assertEqual(tuple(augment(pictures, 96, Draw("cpu", 1))[0].shape), (2, 3, 96, 96))

    def test_points_move_with_the_picture(self):
        # Each picture has a bright dot. The moved picture's brightest pixel must lie within a pixel of the moved point.
        n, side, size = 200, 192, 192
        places = torch.rand(n, 1, 2, generator=torch.Generator().manual_seed(0)) * 0.8 - 0.4
        rows = (torch.arange(side) + 0.5) / side * 2 - 1
        x = (
            -(
                (rows.view(1, 1, 1, -1) - places[:, :, None, :1]) ** 2
                + (rows.view(1, 1, -1, 1) - places[:, :, None, 1:]) ** 2
            )
            / 0.002
        ).exp()
        moved, theta, mirrored = move(x, size, Draw("cpu", 3), Strength(scale=(0.75, 1.3), rotation=30))
        self.assertTrue(20 < mirrored.sum() < 180)
        brightest = moved.flatten(1).argmax(1)
        seen = torch.stack([brightest % size, brightest // size], 1) + 0.5
        said = (move_points(places, theta, mirrored, torch.tensor([0]))[:, 0] + 1) / 2 * size
        inside = ((said > 0) & (said < size)).all(1)
        self.assertGreater(inside.sum(), 190)
        self.assertLess((seen - said)[inside].abs().max(), 1)

    def test_points_of_a_mirrored_face_are_paired(self):
        eyes = torch.tensor([[[-0.4, 0.0], [0.3, 0.1]]])
        mirror, pair = torch.tensor([[[-1.0, 0, 0], [0, 1, 0]]]), torch.tensor([1, 0])
        self.assertTrue(
            torch.allclose(
                move_points(eyes, mirror, torch.tensor([True]), pair), torch.tensor([[[-0.3, 0.1], [0.4, 0.0]]])
            )
        )

    def test_mixed_votes_are_the_share_of_each_face(self):
        x = (
            torch.eye(8)[:, :, None, None].expand(8, 8, 64, 64)[:, :3].contiguous()
        )  # three of the faces are told by a channel
        mixed, votes, alone = mix(x, torch.eye(8), Draw("cpu", 1), 0.7)
        self.assertTrue(torch.allclose(votes.sum(1), torch.ones(8)))
        self.assertTrue(torch.allclose(mixed.mean((2, 3)), votes[:, :3], atol=1e-5))
        self.assertTrue(0 < alone.sum() < 8 and torch.equal(alone, votes.max(1).values == 1))


class Robustness(unittest.TestCase):
    def test_views_are_the_same_each_time_and_differ(self):
        x = torch.rand(8, 1, 96, 96, generator=torch.Generator().manual_seed(0))
        seen = {name: see(x) for name, see in robust.VIEWS.items()}
        for name, view in seen.items():
            self.assertTrue(view.shape == x.shape and view.min() >= 0 and view.max() <= 1, name)
            self.assertTrue(torch.equal(view, robust.VIEWS[name](x)), name)
            self.assertEqual(torch.equal(view, x), name == "plain", name)

    def test_geometry(self):
        x = torch.zeros(1, 1, 97, 97)
        x[0, 0, 48, 78] = 1  # 30 to the right of the middle
        for name, row, column in [
            ("close cut (zoom 1.2)", 48, 84),
            ("wide cut (zoom 0.8)", 48, 72),
            ("turned by +20°", 38, 76),
            ("turned by -20°", 58, 76),
        ]:
            place = robust.VIEWS[name](x).argmax().item()
            self.assertLessEqual(max(abs(place // 97 - row), abs(place % 97 - column)), 1, name)

    def test_half_is_covered(self):
        covered = robust.half_covered(torch.zeros(5, 1, 96, 96))
        self.assertEqual(covered.mean((1, 2, 3)).tolist(), [0.25] * 5)
        self.assertEqual([covered[i, 0, 0, 0].item() for i in range(4)], [0.5, 0, 0.5, 0])

    def test_answers(self):
        anger, neutral = LABELS.index("anger"), LABELS.index("neutral")
        votes = torch.zeros(4, len(LABELS))
        votes[:, anger] = torch.tensor([1.0, 0.8, 0.8, 0.5])
        logits = torch.zeros(4, len(LABELS))
        logits[0, anger], logits[1, neutral], logits[3, neutral] = 9, 9, 9
        got = robust.answers(logits, data.Faces(None, votes, None, None, []), 1.0)
        self.assertEqual(got["anger"]["faces"], 3)
        for key in ("neutral", "right", "uncertain"):
            self.assertAlmostEqual(got["anger"][key], 1 / 3, places=6)
        self.assertEqual(got["all four"], got["anger"])
        self.assertIsNone(got["fear"]["right"])


class Losses(unittest.TestCase):
    def test_affinity_is_zero_at_the_centres(self):
        loss = AffinityLoss(3, 4)
        votes = torch.eye(3)
        self.assertAlmostEqual(loss(loss.centres.detach(), votes).item(), 0, places=5)
        self.assertGreater(loss(loss.centres.detach().roll(1, 0), votes).item(), 0.01)

    def test_partition_falls_as_heads_part(self):
        near = partition_loss(torch.randn(2, 4, 8, generator=torch.Generator().manual_seed(0)) * 0.01)
        far = partition_loss(torch.randn(2, 4, 8, generator=torch.Generator().manual_seed(0)) * 10)
        self.assertGreater(near.item(), far.item())
        self.assertEqual(partition_loss(torch.randn(2, 1, 8)).item(), 0)


class Figures(unittest.TestCase):
    def test_counts(self):
        logits = torch.tensor([[2.0, 0], [2, 0], [0, 2], [0, 2], [9, 0]])
        got = figures(logits, torch.tensor([0, 1, 1, 1, -1]))
        self.assertEqual(got["faces"], 4)
        self.assertAlmostEqual(got["accuracy"], 0.75)
        self.assertAlmostEqual(got["macro_recall"], (1 + 2 / 3) / 2, places=6)
        self.assertAlmostEqual(got["ece"], abs(0.8808 - 0.75), places=3)

    def test_calibration_error(self):
        self.assertAlmostEqual(
            calibration_error(torch.tensor([0.9, 0.9, 0.5, 0.5]), torch.tensor([True, True, False, True])),
            0.05,
            places=6,
        )

    def test_temperature_of_too_sure_logits(self):
        chance = torch.Generator().manual_seed(0)
        logits = torch.randn(4000, 4, generator=chance)
        classes = torch.multinomial(logits.softmax(1), 1, generator=chance).flatten()
        self.assertAlmostEqual(fit_temperature(logits * 2, classes), 2, delta=0.2)


class Ship(unittest.TestCase):
    def test_edit_of_the_manifest(self):
        text = (HERE / "../manifest.json").read_text()
        entry = next(m for m in json.loads(text)["models"] if m["name"] == ship.NAME)
        new = entry | {
            "sha256": "0" * 64,
            "bytes": 12,
            "temperature": 0.9,
            "uncertain": 0.4,
            "ranges": {"input": [-1.23456789, 2], "a.relu": [0, 3]},
        }
        with tempfile.NamedTemporaryFile() as checkpoint:
            got = ship.edit(text, new, Path(checkpoint.name), {"accuracy": 0.8712, "macro_recall": 0.75})
        one, other = json.loads(text), json.loads(got)
        edited = next(m for m in other["models"] if m["name"] == ship.NAME)
        self.assertEqual(
            {k: edited[k] for k in ("sha256", "bytes", "temperature", "uncertain")},
            {k: new[k] for k in ("sha256", "bytes", "temperature", "uncertain")},
        )
        self.assertEqual(edited["ranges"], {"a.relu": [0, 3], "input": [-1.23457, 2]})
        self.assertIn("accuracy 87.1 %, macro recall 75.0 %;", edited["notes"])
        self.assertIn("(sha256 e3b0c442", edited["source"])
        for key in ("sha256", "bytes", "temperature", "uncertain", "ranges", "notes", "source"):
            edited[key] = entry[key]
        self.assertEqual(one, other)

    def test_the_same_entry_leaves_the_same_text(self):
        text = (HERE / "../manifest.json").read_text()
        entry = next(m for m in json.loads(text)["models"] if m["name"] == ship.NAME)
        with tempfile.NamedTemporaryFile() as checkpoint:
            got = ship.edit(text, entry, Path(checkpoint.name), {"accuracy": 0.85, "macro_recall": 0.687})
        changed = [line for line, other in zip(text.splitlines(), got.splitlines(), strict=True) if line != other]
        self.assertEqual([line.split('"')[1] for line in changed], ["source"])

    def test_golden_values_are_those_of_the_tests(self):
        text = (HERE / "../../pipeline/ort/testdata/golden-96.json").read_text()
        got = golden(unfold(initializers(HERE / "../weights/dan-ferplus.onnx")))
        self.assertEqual(got["input"], json.loads(text)["input"])
        for key in ("logits", "gates"):
            one, other = (torch.tensor(g["cases"][0][key]) for g in (got, json.loads(text)))
            self.assertLess(((one - other).abs() / other.abs().clamp_min(1)).max(), 1e-5, key)


class Network(unittest.TestCase):
    @unittest.skipUnless((SHARED / "reference/golden.json").exists(), "no golden values here")
    def test_golden(self):
        net = load(SHARED / "models/dan-ferplus.pth")
        cases = json.loads((SHARED / "reference/golden.json").read_text())["cases"]
        self.assertTrue(cases)
        for case in cases:
            with torch.inference_mode():
                self.assertLess(
                    (net(waves(case["batch"], case["size"]))[0] - torch.tensor(case["logits"])).abs().max().item(), 1e-4
                )

    def test_shipped_file_unfolds(self):
        net = unfold(initializers(HERE / "../weights/dan-ferplus.onnx"))
        case = json.loads((HERE / "../../pipeline/ort/testdata/golden-96.json").read_text())["cases"][0]
        with torch.inference_mode():
            logits = net(waves(case["batch"], case["size"]))[0]
        self.assertLess((logits - torch.tensor(case["logits"])).abs().max().item(), 1e-5)

    def test_sums_stay_in_float32(self):
        net = DAN().eval()
        with torch.autocast("cpu", torch.bfloat16):
            logits, pooled, heads = net(torch.randn(2, 3, 96, 96))
        self.assertEqual({logits.dtype, pooled.dtype, heads.dtype}, {torch.float32})
        self.assertEqual((tuple(logits.shape), tuple(heads.shape)), ((2, 8), (2, 4, 512)))


def made_up_points(path, root):
    """Writes points of two eyes and a mouth for the faces of folders(). One face is not found."""
    names = [f"{label}/{file.name}" for label in LABELS for file in sorted((root / "train" / label).iterdir())]
    stored = np.tile(np.uint8([[90, 100], [160, 100], [128, 160]]), (len(names), 1, 1))
    found = np.array([i != 3 for i in range(len(names))])
    np.savez(path, Train_names=np.array(names), Train_points=stored, Train_found=found)


if __name__ == "__main__":
    unittest.main()
