"""Exported files in the programs that they are for: python exports.py DIRECTORY, which has them and images.f32."""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from article import build_network

directory = Path(sys.argv[1])
images = np.fromfile(directory / "images.f32", dtype=np.float32).reshape(-1, 1, 28, 28)

onnx.checker.check_model(str(directory / "mnist-3.onnx"), full_check=True)
session = onnxruntime.InferenceSession(directory / "mnist-3.onnx", providers=["CPUExecutionProvider"])
probabilities, logits = session.run(["probabilities", "logits"], {"images": images})
probabilities.tofile(directory / "onnxruntime.f32")

network = build_network()
network.load_state_dict(load_file(directory / "mnist-3.safetensors"), strict=True)
with torch.no_grad():
    network(torch.from_numpy(images)).numpy().tofile(directory / "torch.f32")
with safe_open(directory / "mnist-3.safetensors", framework="pt") as opened:
    labels = json.loads(opened.metadata()["labels"])

versions = {module.__name__: module.__version__ for module in (onnx, onnxruntime, torch)}
print(json.dumps({"labels": labels, "versions": versions}))
