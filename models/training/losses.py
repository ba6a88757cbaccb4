"""The losses: cross-entropy with the votes, and DAN's two losses (arXiv 2109.07270)."""

import torch
import torch.nn.functional as F
from torch import nn


def vote_loss(logits, votes):
    """Cross-entropy between votes [n, classes], whose rows sum to 1, and softmax(logits)."""
    return F.cross_entropy(logits, votes)


class AffinityLoss(nn.Module):
    """Squared distance of features from their class's centre, over the centres' variance (section 3.1, equation 2)."""

    def __init__(self, classes, width=512):
        super().__init__()
        self.centres = nn.Parameter(torch.randn(classes, width))

    def forward(self, features, votes):
        apart = self.centres.var(dim=0).sum().clamp_min(1e-6)
        distances = torch.cdist(features, self.centres).square()
        return (distances * votes).sum(dim=1).mean() / (features.shape[1] * apart)


def partition_loss(heads):
    """Small if the heads [n, heads, width] differ from one another (section 3.3, equation 9)."""
    count = heads.shape[1]
    if count < 2:
        return heads.new_zeros(())
    return torch.log1p(count / heads.var(dim=1).clamp_min(1e-6)).mean()
