"""DAN, Distract your Attention Network (arXiv 2109.07270), for training.

The names in the state dict are those of the published checkpoints, so `mindflow model import` reads what train.py
writes.
"""

import torch
import torch.nn.functional as F
from torch import nn
from torchvision.models import resnet18

LABELS = ["neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt"]
WIDTH = 512  # channels of ResNet-18's last stage


def conv_bn(inputs, outputs, kernel, padding=0):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, padding=padding), nn.BatchNorm2d(outputs))


class SpatialAttention(nn.Module):
    """One gate per place (section 3.2), shared by all channels: a sum over channels, which reaches thousands."""

    def __init__(self):
        super().__init__()
        self.conv1x1 = conv_bn(WIDTH, WIDTH // 2, 1)
        self.conv_3x3 = conv_bn(WIDTH // 2, WIDTH, 3, 1)
        self.conv_1x3 = conv_bn(WIDTH // 2, WIDTH, (1, 3), (0, 1))
        self.conv_3x1 = conv_bn(WIDTH // 2, WIDTH, (3, 1), (1, 0))

    def forward(self, x):
        squeezed = self.conv1x1(x)
        places = self.conv_3x3(squeezed) + self.conv_1x3(squeezed) + self.conv_3x1(squeezed)
        return torch.relu(places).float().sum(dim=1, keepdim=True)  # float32: half precision cannot hold such sums


class ChannelAttention(nn.Module):
    """A weight in (0, 1) for each channel of the pooled features (section 3.2)."""

    def __init__(self):
        super().__init__()
        self.attention = nn.Sequential(
            nn.Linear(WIDTH, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, WIDTH), nn.Sigmoid()
        )

    def forward(self, pooled):
        return pooled * self.attention(pooled)


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.sa = SpatialAttention()
        self.ca = ChannelAttention()

    def forward(self, x):
        gate = self.sa(x)
        with torch.autocast(x.device.type, enabled=False):
            return self.ca((x.float() * gate).mean(dim=(2, 3)))


class DAN(nn.Module):
    """forward(x [n, 3, h, w], normalised) → logits [n, classes], pooled features [n, 512], heads [n, heads, 512].

    The sums of the heads grow with the map's area, so a network is right only at the size that it was trained at.
    """

    def __init__(self, classes=len(LABELS), heads=4):
        super().__init__()
        self.features = nn.Sequential(*list(resnet18().children())[:-2])
        self.heads = heads
        for i in range(heads):
            setattr(self, f"cat_head{i}", Head())
        self.fc = nn.Linear(WIDTH, classes)
        self.bn = nn.BatchNorm1d(classes)

    def forward(self, x):
        return self.attend(self.features(x))

    def attend(self, x):
        """Returns forward's results for the last feature map [n, 512, h/32, w/32]."""
        heads = torch.stack([getattr(self, f"cat_head{i}")(x) for i in range(self.heads)], dim=1)
        with torch.autocast(x.device.type, enabled=False):
            joined = F.log_softmax(heads, dim=1) if self.heads > 1 else heads  # over the heads (section 3.3)
            logits = self.bn(self.fc(joined.sum(dim=1)))
        return logits, x.float().mean(dim=(2, 3)), heads


def load(path, device="cpu"):
    """Returns the network of a checkpoint in evaluation mode: a state dict, or the averaged weights of train.py."""
    saved = torch.load(path, map_location=device, weights_only=True)
    state = saved.get("model_state_dict", saved)
    state = {name.removeprefix("module."): value for name, value in state.items()}
    heads = len({name.split(".")[0] for name in state if name.startswith("cat_head")})
    net = DAN(state["fc.weight"].shape[0], heads)
    net.load_state_dict(state)
    return net.to(device).eval()
