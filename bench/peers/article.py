"""The article's network and its data, as the PyTorch peers use them."""

import gzip
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from torch import nn


def build_network() -> nn.Sequential:
    """121,514 parameters; images [N, 1, 28, 28] in, logits [N, 10] out."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(),
        nn.Conv2d(32, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 10),
    )  # fmt: skip


def parameter_count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def load_split(directory: Path, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The images [N, 1, 28, 28] in 0 … 1 and the labels [N] of idx files; `name` is train or t10k."""
    images = read_bytes(directory / f"{name}-images-idx3-ubyte")[16:]
    labels = read_bytes(directory / f"{name}-labels-idx1-ubyte")[8:]
    pixels = torch.from_numpy(images.reshape(-1, 1, 28, 28).astype(np.float32) / 255)
    return pixels, torch.from_numpy(labels.astype(np.int64))


def read_bytes(path: Path) -> np.ndarray:
    """A file [bytes], or the one beside it that is compressed."""
    return np.frombuffer(path.read_bytes() if path.exists() else gzip.open(f"{path}.gz").read(), dtype=np.uint8)


def fingerprint(images: torch.Tensor, labels: torch.Tensor) -> str:
    """SHA-256 of all pixels and then all labels, in hex."""
    pixels = (images * 255).round().to(torch.uint8)
    return sha256(pixels.numpy().tobytes() + labels.to(torch.uint8).numpy().tobytes()).hexdigest()


def load_trainyard_weights(network: nn.Sequential, path: Path) -> None:
    """Takes the weights of a published model: one flat vector, kernels [kh, kw, in, out], features in HWC order."""
    flat = torch.from_numpy(np.fromfile(path, dtype=np.float32))
    position = 0

    def take(*shape: int) -> torch.Tensor:
        nonlocal position
        count = int(np.prod(shape))
        position += count
        return flat[position - count : position].reshape(shape)

    with torch.no_grad():
        for layer in network:
            if isinstance(layer, nn.Conv2d):
                out, inputs, height, width = layer.weight.shape
                layer.weight.copy_(take(height, width, inputs, out).permute(3, 2, 0, 1))
                layer.bias.copy_(take(out))
            elif isinstance(layer, nn.Linear):
                layer.weight.copy_(take(7, 7, 64, 10).permute(3, 2, 0, 1).reshape(10, -1))
                layer.bias.copy_(take(10))
    if position != len(flat):
        raise ValueError(f"expected {position} weights, got {len(flat)}")
