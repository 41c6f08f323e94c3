"""What the clients of the standard protocols share: the images, and the comparison with POST /predict."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np


class Comparison:
    """The directory has images.u8 [N, 28, 28, 1], the same as PNGs, and expected.json, which POST /predict answered."""

    def __init__(self, directory: Path) -> None:
        self.greys = np.fromfile(directory / "images.u8", np.uint8).reshape(-1, 28, 28, 1)
        self.floats = self.greys.astype(np.float32) / 255
        self.pictures = [path.read_bytes() for path in sorted(directory.glob("*.png"))]
        expected = json.loads((directory / "expected.json").read_text())
        self.labels: list[str] = expected["labels"]
        self.probabilities = np.array(expected["probabilities"])
        self.ways: list[dict] = []
        self.checks = 0
        self.failures: list[str] = []

    def add_way(self, name: str, answers: list[tuple[list[str], np.ndarray]]) -> None:
        """`answers` of one or several requests: labels, and probabilities [N, 10]."""
        labels = [label for some, _ in answers for label in some]
        probabilities = np.concatenate([rows for _, rows in answers])
        others = sum(a != b for a, b in zip(labels, self.labels, strict=True))
        largest = float(np.abs(probabilities - self.probabilities).max())
        self.ways.append({"name": name, "images": len(labels), "others": others, "largest": largest})

    def check(self, what: str, got: object, expected: object) -> None:
        self.checks += 1
        if got != expected:
            self.failures.append(f"{what}: expected {expected}, got {got}")

    def check_refusal(self, what: str, refusal: tuple[str, str] | None, status: str, words: str) -> None:
        """`refusal` is a status and a message; None: there was none."""
        fits = refusal is not None and refusal[0] == status and words in refusal[1]
        self.check(what, "refused" if fits else refusal, "refused")

    def print(self, versions: dict[str, str]) -> None:
        result = {"versions": versions, "ways": self.ways, "checks": self.checks, "failures": self.failures}
        print(json.dumps(result))


def in_parts(values, size: int) -> Iterator:
    """A request has at most 16 pictures."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def refusal_of(
    call: Callable[[], object], error_type: type[Exception], read: Callable
) -> tuple[str, str] | None:
    try:
        call()
    except error_type as error:
        return read(error)
    return None
