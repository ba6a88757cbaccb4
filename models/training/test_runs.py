"""Tests of whole runs of the trainer, on made-up faces. `make test-training` runs them."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import torch

from dan import load
from test_training import HERE, folders, made_up_points


class Runs(unittest.TestCase):
    def train(self, root, out, *more):
        command = [
            sys.executable,
            HERE / "train.py",
            "--data",
            root,
            "--out",
            out,
            "--size",
            "64",
            "--epochs",
            "2",
            "--batch",
            "16",
            "--warmup",
            "2",
            "--affinity",
            "1",
            "--partition",
            "1",
            "--balance",
            "0.3",
            "--device",
            "cpu",
            *more,
        ]
        return subprocess.run([str(c) for c in command], capture_output=True, text=True)

    def test_a_cut_run_goes_on_as_if_it_had_not_been(self):
        with tempfile.TemporaryDirectory() as root:
            root = Path(root)
            folders(root / "set")
            made_up_points(root / "points.npz", root / "set")
            more = "--points", root / "points.npz", "--mix", "0.5", "--coarse", "0.5"
            whole = self.train(root / "set", root / "whole", *more)
            self.assertEqual(whole.returncode, 0, whole.stderr)
            for cut in ("3", "8"):  # within an epoch, and within the next
                part = self.train(root / "set", root / "cut", *more, "--stop-at-step", cut)
                self.assertIn(f"stopped at step {cut} of 12", part.stderr)
            rest = self.train(root / "set", root / "cut", *more)
            self.assertIn("goes on from step 8 of 12", rest.stderr)
            one, other = (torch.load(root / run / "last.pt", weights_only=True) for run in ("whole", "cut"))
            self.assertEqual((one["step"], other["step"]), (12, 12))
            for part in ("net", "average", "affinity", "head"):
                for name, value in one[part].items():
                    self.assertTrue(torch.equal(value, other[part][name]), f"{part} {name}")
            self.assertEqual(len((root / "cut/log.jsonl").read_text().splitlines()), 2)
            self.assertTrue((root / "cut/curves.png").exists())
            self.assertGreater(one["head"]["linear.weight"].abs().max(), 0)
            self.assertFalse(
                [name for name in load(root / "cut/dan.pth").state_dict() if "points" in name or "linear" in name]
            )
            refused = self.train(root / "set", root / "cut", "--rate", "0.1")
            self.assertIn("other values of rate", refused.stderr)
            said = subprocess.run(
                [
                    sys.executable,
                    HERE / "evaluate.py",
                    "--data",
                    root / "set",
                    "--size",
                    "64",
                    root / "cut/dan.pth",
                    "--calibrate",
                    "--plot",
                    root / "risk.png",
                ],
                capture_output=True,
                text=True,
            )
            self.assertEqual(json.loads(said.stdout)["majority"]["faces"], 96, said.stderr)
            self.assertTrue((root / "risk.png").exists())
            said = subprocess.run(
                [
                    sys.executable,
                    HERE / "evaluate.py",
                    "--data",
                    root / "set",
                    "--size",
                    "64",
                    root / "cut/dan.pth",
                    "--robust",
                    "--answers",
                    "--plot",
                    root / "bars.png",
                ],
                capture_output=True,
                text=True,
            )
            self.assertEqual(json.loads(said.stdout)["robust"]["dark"]["faces"], 96, said.stderr)
            self.assertTrue((root / "bars.png").exists())

    def test_a_stable_run_grows_and_branches_into_its_decay(self):
        with tempfile.TemporaryDirectory() as root:
            root = Path(root)
            folders(root / "set")
            self.train(root / "set", root / "short", "--schedule", "wsd", "--epochs", "1")
            grown = self.train(root / "set", root / "short", "--schedule", "wsd")
            self.assertIn("goes on from step 6 of 12", grown.stderr)
            self.train(root / "set", root / "whole", "--schedule", "wsd")
            decay = "--schedule", "wsd", "--branch", root / "short/last.pt", "--decay-epochs", "1", "--mix", "0.5"
            part = self.train(root / "set", root / "decay", *decay, "--stop-at-step", "14")
            self.assertIn("stopped at step 14 of 18", part.stderr)
            self.assertIn("goes on from step 14 of 18", self.train(root / "set", root / "decay", *decay).stderr)
            self.train(root / "set", root / "decay-2", *decay)
            for runs in (("short", "whole"), ("decay", "decay-2")):
                one, other = (torch.load(root / run / "last.pt", weights_only=True) for run in runs)
                for name, value in one["average"].items():
                    self.assertTrue(torch.equal(value, other["average"][name]), f"{runs} {name}")
            self.assertEqual(len((root / "decay/log.jsonl").read_text().splitlines()), 3)


if __name__ == "__main__":
    unittest.main()
