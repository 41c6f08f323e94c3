"""Whether batch normalisation and dropout pay: the network `wide` with and without them, on Fashion-MNIST.

Trains as the recipe `default` does (one cycle, label smoothing, no distortion) and prints one JSON line.
"""

import argparse
import json
import os
import time
from pathlib import Path

import torch
from torch import nn

from article import load_split, parameter_count

PEAK = 0.002
BATCH_SIZE = 128
DROPPED = 0.3  # of the values before a dense layer


def convolution(inputs: int, outputs: int, normalised: bool) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, 3, padding=1, bias=not normalised)]
    return [*layers, *([nn.BatchNorm2d(outputs)] if normalised else []), nn.ReLU()]


def build_wide(extra: str) -> nn.Sequential:
    """Images [N, 1, 28, 28] in, logits [N, 10] out; `extra` is none, batchnorm or dropout."""
    normalised = extra == "batchnorm"

    def dropout() -> list[nn.Module]:
        return [nn.Dropout(DROPPED)] if extra == "dropout" else []

    return nn.Sequential(
        *convolution(1, 32, normalised), *convolution(32, 32, normalised), nn.MaxPool2d(2),
        *convolution(32, 64, normalised), *convolution(64, 64, normalised), nn.MaxPool2d(2),
        nn.Flatten(), *dropout(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), *dropout(), nn.Linear(128, 10),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--extra", choices=["none", "batchnorm", "dropout"], required=True)
    parser.add_argument("--train-images", type=int, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(options.seed)
    images, labels = (part[: options.train_images] for part in load_split(options.data, "train"))
    network = build_wide(options.extra)
    optimizer = torch.optim.Adam(network.parameters(), lr=PEAK)
    steps = options.epochs * -(-len(images) // BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PEAK, total_steps=steps, pct_start=0.2, cycle_momentum=False
    )
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.1)
    began = time.perf_counter()
    for _ in range(options.epochs):
        for batch in torch.randperm(len(images)).split(BATCH_SIZE):
            optimizer.zero_grad()
            loss_of(network(images[batch]), labels[batch]).backward()
            optimizer.step()
            schedule.step()
    seconds = time.perf_counter() - began
    network.eval()
    test_images, test_labels = load_split(options.data, "t10k")
    with torch.inference_mode():
        answers = torch.cat([network(part).argmax(1) for part in test_images.split(250)])
    accuracy = (answers == test_labels).float().mean().item()
    print(json.dumps({"accuracy": accuracy, "seconds": seconds, "parameters": parameter_count(network)}))


if __name__ == "__main__":
    main()
