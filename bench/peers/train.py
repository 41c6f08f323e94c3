"""The article's program in PyTorch on the CPU. Prints one JSON line: its rate, or its time to an accuracy."""

import argparse
import json
import os
import time
from pathlib import Path

import torch
from torch import nn

from article import build_network, fingerprint, load_split, parameter_count

LEARNING_RATE = 0.001  # the article's 0.01 leaves a third of all runs dead
WARM_UP_STEPS = 50


class Program:
    def __init__(self, data: Path, batch_size: int, channels_last: bool, seed: int) -> None:
        torch.manual_seed(seed)
        self.images, self.labels = load_split(data, "train")
        self.network = build_network()
        if channels_last:
            self.network = self.network.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE)
        self.loss = nn.CrossEntropyLoss()
        self.batch_size = batch_size

    def step(self, start: int) -> torch.Tensor:
        end = start + self.batch_size
        loss = self.loss(self.network(self.images[start:end]), self.labels[start:end])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def accuracy(self, images: torch.Tensor, labels: torch.Tensor) -> float:
        with torch.inference_mode():
            hits = sum(
                (self.network(images[i : i + 250]).argmax(1) == labels[i : i + 250]).sum().item()
                for i in range(0, len(images), 250)
            )
        return hits / len(images)


def measure_rate(program: Program, data: Path, batches: int) -> dict[str, float]:
    """Images trained a second, and the accuracy on 1,000 test images afterwards."""
    starts = range(0, len(program.images) - program.batch_size, program.batch_size)
    for start in starts[:WARM_UP_STEPS]:
        program.step(start)
    began = time.perf_counter()
    for index in range(batches):
        program.step(starts[index % len(starts)])
    seconds = time.perf_counter() - began
    images, labels = load_split(data, "t10k")
    accuracy = program.accuracy(images[:1000], labels[:1000])
    return {"imagesPerSecond": batches * program.batch_size / seconds, "accuracy": accuracy}


def time_to_accuracy(program: Program, data: Path, wanted: float, epochs: int) -> dict[str, object]:
    """Seconds of training, without those of evaluating, until the first epoch that ends at the accuracy."""
    test = load_split(data, "t10k")
    seconds = 0.0
    evaluation_seconds = 0.0
    accuracies: list[float] = []
    for _ in range(epochs):
        began = time.perf_counter()
        for start in range(0, len(program.images), program.batch_size):
            program.step(start)
        trained = time.perf_counter()
        accuracies.append(program.accuracy(*test))
        seconds += trained - began
        evaluation_seconds += time.perf_counter() - trained
        if accuracies[-1] >= wanted:
            break
    reached = accuracies[-1] >= wanted
    return {
        "seconds": seconds if reached else None,
        "trainingSeconds": seconds,
        "evaluationSeconds": evaluation_seconds,
        "accuracies": accuracies,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--batches", type=int, help="measure the rate over so many")
    parser.add_argument("--accuracy", type=float, help="measure the time until the test accuracy is so high")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    program = Program(options.data, options.batch_size, options.channels_last, options.seed)
    if options.batches:
        result = measure_rate(program, options.data, options.batches)
    else:
        result = time_to_accuracy(program, options.data, options.accuracy, epochs=9)
    task = {
        "version": f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads",
        "parameters": parameter_count(program.network),
        "images": len(program.images),
        "sha256": fingerprint(program.images, program.labels),
    }
    print(json.dumps(result | task))


if __name__ == "__main__":
    main()
