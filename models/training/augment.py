"""Random changes that make FER+'s close-cut grey pictures look like faces from a webcam and a detector.

Everything works on batches, and each face has its own draw. There are no colour casts: the network sees grey,
where a cast is a change of brightness and contrast.
"""

import io
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def prepare(pictures, size):
    """uint8 [n, 1, h, w] → the network's input float32 [n, 3, size, size], without random changes."""
    return normalise(resize(pictures.float() / 255, size))


def normalise(x):
    shape = (1, 3, 1, 1)
    x = (x.expand(-1, 3, -1, -1) - MEAN.to(x).view(shape)) / STD.to(x).view(shape)
    return x.contiguous(memory_format=torch.channels_last)


def resize(x, size):
    return F.interpolate(x, size=(size, size), mode="bilinear", align_corners=False, antialias=x.shape[-1] > size)


@dataclass
class Strength:
    """How strongly faces are changed.

    webcam: share of faces seen as by a poor camera. scale: bounds of the side that is seen, as a factor of the
    picture's. rotation: greatest angle in degrees. cover: greatest side of the covered rectangle, as a factor of the
    picture's. coarse: share of faces seen at 16 to 40 pixels.
    """

    webcam: float = 0.5
    scale: tuple = (0.85, 1.18)
    rotation: float = 18.0
    cover: float = 0.4
    coarse: float = 0.0


class Draw:
    """Draws random numbers on the pictures' device. They come from one generator, whose state a checkpoint can hold."""

    def __init__(self, device, seed):
        self.generator = torch.Generator(device).manual_seed(seed)
        self.device = device

    def uniform(self, n, low=0.0, high=1.0):
        return torch.rand(n, 1, 1, 1, generator=self.generator, device=self.device) * (high - low) + low

    def chance(self, n, p):
        return self.uniform(n) < p

    def noise(self, like):
        return torch.randn(like.shape, generator=self.generator, device=self.device)


def augment(pictures, size, draw, strength=Strength(), points=None, pair=None):
    """uint8 [n, 1, h, w] → float32 [n, 3, size, size], and the points [n, k, 2] moved with the faces, if given."""
    n = len(pictures)
    x = pictures.float() / 255
    if x.shape[-1] > size:
        x = resize(x, size)
    x, theta, mirrored = move(x, size, draw, strength)
    if points is not None:
        points = move_points(points, theta, mirrored, pair)
    if strength.coarse > 0:
        x = torch.where(draw.chance(n, strength.coarse), coarsen(x, draw), x)
    x = light(x, draw)
    if strength.webcam > 0:
        seen = draw.chance(n, strength.webcam)
        x = torch.where(seen, camera(x, draw), x)
    return normalise(occlude(x, draw, strength.cover).clamp(0, 1)), points


def move(x, size, draw, strength):
    """Flips, turns, scales and shifts faces, as heads move and the detector's box jitters, and scales them to size.

    Returns the faces, theta [n, 2, 3], which maps places in the result to places in x, and mirrored (bool [n]).
    """
    n = len(x)
    angle = draw.uniform(n, -strength.rotation, strength.rotation) * math.pi / 180
    scale = draw.uniform(n, *strength.scale)
    stretch = draw.uniform(n, 0.95, 1.05)
    flip = torch.where(draw.chance(n, 0.5), -1.0, 1.0)
    cos, sin = angle.cos() * scale, angle.sin() * scale
    theta = torch.cat(
        [
            cos * stretch * flip,
            -sin,
            draw.uniform(n, -0.14, 0.14),
            sin * flip * stretch,
            cos,
            draw.uniform(n, -0.14, 0.14),
        ],
        1,
    )
    theta = theta.view(n, 2, 3)
    grid = F.affine_grid(theta, (n, 1, size, size), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False), theta, flip.flatten() < 0


def move_points(points, theta, mirrored, pair):
    """Moves points [n, k, 2], in units of half a picture, as move moves the faces: by the inverse of theta.

    In a mirrored face each point is exchanged with its pair, so that the left eye stays the one on the picture's left.
    """
    moved = torch.linalg.solve(theta[:, :, :2], (points - theta[:, None, :, 2]).mT).mT
    return torch.where(mirrored.view(-1, 1, 1), moved[:, pair], moved)


def coarsen(x, draw):
    """Shrinks the faces to 16 to 40 pixels, one side for the whole batch, and enlarges them to their size again."""
    side = int(draw.uniform(1, 16, 41).item())
    small = F.interpolate(x, size=(side, side), mode="bilinear", antialias=True)
    return F.interpolate(small, size=x.shape[-2:], mode="bilinear")


def mix(x, votes, draw, share):
    """Mixes a share of the faces, and their votes, with their neighbours in the batch.

    Half of them are mixed by CutMix (arXiv 1905.04899), half by mixup (arXiv 1710.09412). Returns faces, votes and
    which faces are not mixed (bool [n]).
    """
    n = len(x)
    cut = rectangle(x, draw, 0.3, 0.7).float()
    weight = torch.where(draw.chance(n, 0.5), cut, draw.uniform(n, 0, 0.5)) * draw.chance(n, share)
    part = weight.mean(dim=(1, 2, 3))
    votes = torch.lerp(votes, votes.roll(1, 0), part.unsqueeze(1))
    return torch.lerp(x, x.roll(1, 0), weight.to(x)), votes, part == 0


def light(x, draw):
    """Changes contrast, brightness and gamma, as other rooms do."""
    n = len(x)
    mean = x.mean(dim=(2, 3), keepdim=True)
    x = (x - mean) * draw.uniform(n, 0.7, 1.3) + mean + draw.uniform(n, -0.15, 0.15)
    return x.clamp(1e-4, 1) ** draw.uniform(n, -0.35, 0.35).exp()


def camera(x, draw):
    """Makes faces look as from a poor camera: few pixels, blur, a dark room with noise, light from one side, JPEG."""
    n, size = len(x), x.shape[-1]
    small = F.interpolate(
        F.interpolate(x, size=(20, 20), mode="bilinear", antialias=True), size=(size, size), mode="bilinear"
    )
    middle = F.interpolate(
        F.interpolate(x, size=(32, 32), mode="bilinear", antialias=True), size=(size, size), mode="bilinear"
    )
    far = draw.uniform(n)
    x = torch.where(far < 0.15, small, torch.where(far < 0.35, middle, x))
    blurred = F.avg_pool2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), 5, 1)
    x = torch.where(draw.chance(n, 0.3), x + (blurred - x) * draw.uniform(n, 0.3, 1.2), x)
    slope = torch.linspace(-0.5, 0.5, size, device=x.device).view(1, 1, 1, size)
    x = torch.where(draw.chance(n, 0.3), x * (1 + slope * draw.uniform(n, -1.2, 1.2)), x)
    dark = draw.chance(n, 0.35)
    gain = draw.uniform(n, 0.15, 0.6)
    x = torch.where(dark, x * gain, x)
    x = x + draw.noise(x) * torch.where(dark, draw.uniform(n, 0.0, 0.05), draw.uniform(n, 0.0, 0.02))
    quality = torch.where(draw.chance(n, 0.4), draw.uniform(n, 12, 60), torch.tensor(0.0, device=x.device))
    return jpeg(x.clamp(0, 1), quality.flatten().round().int().tolist())


def jpeg(x, qualities):
    """Codes each picture as JPEG of its quality, and decodes it. A quality of 0 leaves the picture unchanged."""
    chosen = [i for i, quality in enumerate(qualities) if quality > 0]
    if not chosen:
        return x
    plain = (x[chosen, 0] * 255).round().to(torch.uint8).cpu().numpy()
    coded = np.stack([through_jpeg(picture, qualities[i]) for i, picture in zip(chosen, plain)])
    x = x.clone()
    x[chosen, 0] = torch.from_numpy(coded).to(x.device).float() / 255
    return x


def through_jpeg(picture, quality):
    held = io.BytesIO()
    Image.fromarray(picture).save(held, "JPEG", quality=quality)
    return np.asarray(Image.open(held))


def rectangle(x, draw, low, high):
    """bool [n, 1, size, size]: a random rectangle for each face, with sides of low to high times the picture's."""
    n, size = len(x), x.shape[-1]
    height, width = draw.uniform(n, low, high) * size, draw.uniform(n, low, high) * size
    top, left = draw.uniform(n) * (size - height), draw.uniform(n) * (size - width)
    rows = torch.arange(size, device=x.device).view(1, 1, size, 1)
    columns = torch.arange(size, device=x.device).view(1, 1, 1, size)
    return (rows >= top) & (rows < top + height) & (columns >= left) & (columns < left + width)


def occlude(x, draw, largest, p=0.5):
    """Covers part of some faces with a flat or noisy rectangle, as a hand, a cup or hair does."""
    n = len(x)
    inside = rectangle(x, draw, 0.1, largest) & draw.chance(n, p)
    cover = draw.uniform(n) + draw.noise(x) * draw.uniform(n, 0.0, 0.3)
    return torch.where(inside, cover, x)
