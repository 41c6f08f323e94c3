"""What people write in place of Trainyard's POST /predict: FastAPI, Pillow, PyTorch. WEIGHTS and THREADS by environment."""

import io
import os
from pathlib import Path

import numpy as np
import torch
from fastapi import FastAPI, Request
from PIL import Image

from article import build_network, load_trainyard_weights

torch.set_num_threads(int(os.environ["THREADS"]))
network = build_network().eval()
load_trainyard_weights(network, Path(os.environ["WEIGHTS"]))
app = FastAPI()


@app.post("/predict")
async def predict(request: Request) -> dict[str, object]:
    image = Image.open(io.BytesIO(await request.body())).convert("L")
    if image.size != (28, 28):
        image = image.resize((28, 28), Image.Resampling.BOX)
    pixels = torch.from_numpy(np.asarray(image, dtype=np.float32) / 255)
    with torch.inference_mode():
        probabilities = torch.softmax(network(pixels[None, None]), 1)[0]
    digit = int(probabilities.argmax())
    return {
        "digit": digit,
        "confidence": float(probabilities[digit]),
        "probabilities": probabilities.tolist(),
    }
