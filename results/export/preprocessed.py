"""A trained network that takes images as they come from a file, and gives probabilities."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from space import Preprocessing


class Preprocessed(nn.Module):
    """(n, h, w, 3) uint8 images, red, green, blue -> (n, classes) probabilities.

    They are to be of the network's input size: cut to their central square and scaled, as `space.Preprocessing` says.
    The order of dimensions is that of Pillow and NumPy.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, how: Preprocessing) -> None:
        """`network`: in eval mode, from (n, 3, h, w) images to (n, classes) logits."""
        super().__init__()
        self.network = network
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(getattr(how, name))[:, None, None])
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Probabilities."""
        pixels = images.permute(0, 3, 1, 2).to(self.mean.dtype) / 255
        logits: Tensor = self.network((pixels - self.mean) / self.std)
        return logits.softmax(1)
