"""
Triton's own clients against Trainyard: python triton_client.py DIRECTORY HTTP_ADDRESS GRPC_ADDRESS KEY.

Prints one line of JSON: how many labels differ from those of POST /predict, for each way to send the images, and
which checks failed.
"""

import base64
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from tritonclient.utils import InferenceServerException

from same_answers import Comparison, in_parts, refusal_of

directory, http_address, grpc_address, key = sys.argv[1:]
comparison = Comparison(Path(directory))
pictures_of_request = 16


def authorized() -> dict[str, str]:
    """New headers for each call: the HTTP client adds the length of the JSON to those that it is given."""
    return {"authorization": f"Bearer {key}"}


def input_of(api, datatype: str, values: np.ndarray, **form) -> list:
    return [api.InferInput("image", list(values.shape), datatype).set_data_from_numpy(values, **form)]


def texts(values: np.ndarray) -> list[str]:
    """BYTES come as bytes in binary and as text in JSON."""
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values.flatten()]


def answer_of(result) -> tuple[list[str], np.ndarray]:
    return texts(result.as_numpy("label")), result.as_numpy("probabilities")


def objects(elements: list[bytes]) -> np.ndarray:
    return np.array(elements, dtype=np.object_)


def read_over_http(client) -> None:
    floats, greys = comparison.floats, comparison.greys
    as_json = {
        "outputs": [
            triton_http.InferRequestedOutput(name, binary_data=False) for name in ("label", "probabilities")
        ]
    }
    compressed = {"request_compression_algorithm": "gzip", "response_compression_algorithm": "gzip"}

    def infer(datatype, values, binary, **options):
        inputs = input_of(triton_http, datatype, values, binary_data=binary)
        return answer_of(client.infer("mnist", inputs, headers=authorized(), **options))

    def add(name, datatype, values, binary=True, **options):
        comparison.add_way(f"tritonclient.http, {name}", [infer(datatype, values, binary, **options)])

    add("FP32 binary", "FP32", floats)
    add("FP32 JSON", "FP32", floats, binary=False, **as_json)
    add("FP32 binary, gzip", "FP32", floats, **compressed)
    add("UINT8 binary", "UINT8", greys)
    add("UINT8 JSON, [N, 784]", "UINT8", greys.reshape(-1, 784), binary=False, **as_json)
    add("version 1", "FP32", floats, model_version="1")
    add("alias champion", "FP32", floats, model_version="champion")
    asked = [
        client.async_infer("mnist", input_of(triton_http, "FP32", part), headers=authorized())
        for part in in_parts(floats, 50)
    ]
    comparison.add_way("tritonclient.http, asynchronous", [answer_of(each.get_result()) for each in asked])
    parts = list(in_parts(comparison.pictures, pictures_of_request))
    binary = [infer("BYTES", objects(part), True) for part in parts]
    comparison.add_way("tritonclient.http, BYTES: PNGs", binary)
    encoded = [objects([base64.b64encode(picture) for picture in part]) for part in parts]
    comparison.add_way(
        "tritonclient.http, BYTES: PNGs in JSON", [infer("BYTES", part, False, **as_json) for part in encoded]
    )


def read_over_grpc(client) -> None:
    def infer(datatype, values, **options):
        return answer_of(
            client.infer("mnist", input_of(triton_grpc, datatype, values), headers=authorized(), **options)
        )

    def add(name, datatype, values, **options):
        comparison.add_way(f"tritonclient.grpc, {name}", [infer(datatype, values, **options)])

    add("FP32", "FP32", comparison.floats)
    add("UINT8", "UINT8", comparison.greys)
    add("alias champion", "FP32", comparison.floats, model_version="champion")
    parts = in_parts(comparison.pictures, pictures_of_request)
    comparison.add_way("tritonclient.grpc, BYTES: PNGs", [infer("BYTES", objects(part)) for part in parts])


def check_server(name: str, client, as_json: dict) -> None:
    """What a client asks before it sends anything. The gRPC client gives messages unless told `as_json`."""
    comparison.check(f"{name}: live", client.is_server_live(), True)
    comparison.check(f"{name}: ready", client.is_server_ready(), True)
    server = client.get_server_metadata(headers=authorized(), **as_json)
    comparison.check(f"{name}: server", server["name"], "trainyard")
    comparison.check(f"{name}: extension", "binary_tensor_data" in server["extensions"], True)
    for version in ("", "1", "champion"):
        ready = client.is_model_ready("mnist", version, headers=authorized())
        comparison.check(f"{name}: version {version!r} ready", ready, True)
        model = client.get_model_metadata("mnist", version, headers=authorized(), **as_json)
        comparison.check(f"{name}: model", (model["name"], model["versions"]), ("mnist", ["1"]))
        described = {
            each["name"]: (each["datatype"], [int(size) for size in each["shape"]])
            for each in model["inputs"] + model["outputs"]
        }
        comparison.check(
            f"{name}: tensors",
            described,
            {
                "image": ("FP32", [-1, 28, 28, 1]),
                "probabilities": ("FP32", [-1, 10]),
                "label": ("BYTES", [-1]),
                "verdict": ("BYTES", [-1]),
            },
        )


def check_answers(name: str, api, client) -> None:
    """The classification extension, the id, and the outputs that are asked for."""
    some = comparison.floats[:3]
    classes = [api.InferRequestedOutput("probabilities", class_count=2), api.InferRequestedOutput("verdict")]
    result = client.infer(
        "mnist", input_of(api, "FP32", some), outputs=classes, request_id="three", headers=authorized()
    )
    best = [text.split(":")[2] for text in texts(result.as_numpy("probabilities"))[::2]]
    comparison.check(f"{name}: classification", best, comparison.labels[:3])
    comparison.check(
        f"{name}: outputs", (result.as_numpy("verdict").shape, result.as_numpy("label")), ((3,), None)
    )
    response = result.get_response()
    said = (
        (response["id"], response["model_version"])
        if isinstance(response, dict)
        else (response.id, response.model_version)
    )
    comparison.check(f"{name}: id and version", said, ("three", "1"))


def check_index(name: str, index: list[dict]) -> None:
    comparison.check(
        f"{name}: index",
        [(each["name"], each["version"], each["state"]) for each in index],
        [("mnist", "1", "READY")],
    )


def check_refusals(name: str, api, client, statuses: dict[str, str]) -> None:
    """Each refusal must be the client's own exception, with the server's message."""
    bytes_of_nothing = objects([b"no picture"])
    wrong = comparison.floats[:2]
    channels_first = wrong.reshape(2, 1, 28, 28)

    def infer(model, datatype, values, with_key=True):
        return lambda: client.infer(
            model, input_of(api, datatype, values), headers=authorized() if with_key else None
        )

    for what, call, status, words in [
        ("unknown model", infer("letters", "FP32", wrong), "missing", "mnist, got letters"),
        (
            "unknown version",
            lambda: client.get_model_metadata("mnist", "9", headers=authorized()),
            "missing",
            "9",
        ),
        ("shape", infer("mnist", "FP32", channels_first), "invalid", "got [2, 1, 28, 28]"),
        ("datatype", infer("mnist", "INT64", wrong.astype(np.int64)), "invalid", "datatype"),
        ("greys of 0 to 255 as floats", infer("mnist", "FP32", wrong * 255), "invalid", "divided by 255"),
        ("not a number", infer("mnist", "FP32", wrong * np.float32("nan")), "invalid", "got NaN"),
        ("no picture", infer("mnist", "BYTES", bytes_of_nothing), "unreadable", "expected a"),
        (
            "too many images",
            infer("mnist", "UINT8", np.zeros((257, 28, 28, 1), np.uint8)),
            "invalid",
            "N from 1 to 256",
        ),
        ("no key", infer("mnist", "FP32", wrong, with_key=False), "no key", "API_KEY"),
    ]:
        refusal = refusal_of(call, InferenceServerException, lambda error: (error.status(), error.message()))
        comparison.check_refusal(f"{name}: {what}", refusal, statuses[status], words)
    comparison.check(
        f"{name}: unknown model is not ready", client.is_model_ready("letters", headers=authorized()), False
    )


with triton_http.InferenceServerClient(http_address, concurrency=4) as over_http:
    check_server("tritonclient.http", over_http, {})
    check_index("tritonclient.http", over_http.get_model_repository_index(headers=authorized()))
    check_answers("tritonclient.http", triton_http, over_http)
    check_refusals(
        "tritonclient.http",
        triton_http,
        over_http,
        {"missing": "404", "invalid": "400", "unreadable": "415", "no key": "401"},
    )
    read_over_http(over_http)
with triton_grpc.InferenceServerClient(grpc_address) as over_grpc:
    check_server("tritonclient.grpc", over_grpc, {"as_json": True})
    index = over_grpc.get_model_repository_index(headers=authorized(), as_json=True)
    check_index("tritonclient.grpc", index["models"])
    check_answers("tritonclient.grpc", triton_grpc, over_grpc)
    check_refusals(
        "tritonclient.grpc",
        triton_grpc,
        over_grpc,
        {
            "missing": "StatusCode.NOT_FOUND",
            "invalid": "StatusCode.INVALID_ARGUMENT",
            "unreadable": "StatusCode.INVALID_ARGUMENT",
            "no key": "StatusCode.UNAUTHENTICATED",
        },
    )
    read_over_grpc(over_grpc)
comparison.print({name: metadata.version(name) for name in ("tritonclient", "geventhttpclient", "grpcio")})
