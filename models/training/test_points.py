"""Tests of the face mesh's points as a second task. `make test-training` runs them."""

import tempfile
import unittest
from pathlib import Path

import torch

import points
from dan import LABELS
from test_training import folders, made_up_points


class PointsOfFaces(unittest.TestCase):
    def test_read_by_name(self):
        with tempfile.TemporaryDirectory() as root:
            folders(Path(root) / "set")
            made_up_points(Path(root) / "points.npz", Path(root) / "set")
            got = points.read(
                Path(root) / "points.npz", "Train", [f"{LABELS[0]}/10.png", "unknown.png", f"{LABELS[0]}/2.png"]
            )
            self.assertEqual(got.found.tolist(), [True, False, True])
            self.assertEqual(got.pair.tolist(), [1, 0, 2])
            self.assertAlmostEqual(got.mean[2, 1].item(), 160 / 255 * 4 - 2, places=6)

    def test_only_counted_faces_cost(self):
        predicted, wanted = torch.zeros(3, 2, 2), torch.tensor([0.0, 1, 9]).view(3, 1, 1).expand(3, 2, 2)
        self.assertAlmostEqual(
            points.points_loss(predicted, wanted, torch.tensor([True, True, False])).item(), 0.975 / 2, places=6
        )
        self.assertEqual(points.points_loss(predicted, wanted, torch.zeros(3, dtype=torch.bool)).item(), 0)


if __name__ == "__main__":
    unittest.main()
