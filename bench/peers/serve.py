"""What people write in place of Trainyard's POST /predict: FastAPI, Pillow, PyTorch.

By environment: WEIGHTS, a published model's; THREADS of PyTorch; ENDPOINT, async or thread.
"""

import io
import os
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from fastapi import Depends, FastAPI, Request
from PIL import Image

from article import build_network, load_trainyard_weights

torch.set_num_threads(int(os.environ["THREADS"]))
network = build_network().eval()
load_trainyard_weights(network, Path(os.environ["WEIGHTS"]))
app = FastAPI()


async def read_body(request: Request) -> bytes:
    return await request.body()


Body = Annotated[bytes, Depends(read_body)]


def classify(body: bytes) -> dict[str, object]:
    image = Image.open(io.BytesIO(body)).convert("L")
    if image.size != (28, 28):
        image = image.resize((28, 28), Image.Resampling.BOX)
    pixels = torch.from_numpy(np.asarray(image, dtype=np.float32) / 255)
    with torch.inference_mode():
        probabilities = torch.softmax(network(pixels[None, None]), 1)[0].tolist()
    digit = max(range(10), key=probabilities.__getitem__)
    return {"digit": digit, "confidence": probabilities[digit], "probabilities": probabilities}


if os.environ["ENDPOINT"] == "thread":

    @app.post("/predict")
    def predict_in_thread(body: Body) -> dict[str, object]:
        return classify(body)

else:

    @app.post("/predict")
    async def predict(body: Body) -> dict[str, object]:
        return classify(body)
