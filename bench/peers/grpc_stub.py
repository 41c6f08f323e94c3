"""
A stub that grpcio-tools generates from Trainyard's .proto files:
python grpc_stub.py DIRECTORY GRPC_ADDRESS KEY PROTOS, where PROTOS is their folder.

Prints one line of JSON, as triton_client.py does.
"""

import sys
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import numpy as np
from grpc_tools import protoc

from same_answers import Comparison, in_parts, refusal_of

directory, address, key, protos = sys.argv[1:]
comparison = Comparison(Path(directory))
with TemporaryDirectory() as generated:
    code = protoc.main(
        [
            "protoc",
            f"-I{protos}",
            f"--python_out={generated}",
            f"--grpc_python_out={generated}",
            "inference.proto",
            "health.proto",
        ]
    )
    if code != 0:
        sys.exit(f"expected protoc to generate the stubs, it ended by {code}")
    sys.path.insert(0, generated)
    import health_pb2
    import health_pb2_grpc
    import inference_pb2 as messages
    import inference_pb2_grpc

pictures_of_request = 16
channel = grpc.insecure_channel(address)
stub = inference_pb2_grpc.GRPCInferenceServiceStub(channel)
authorized = (("authorization", f"Bearer {key}"),)


def request_of(
    datatype: str, shape, model: str = "mnist", version: str = "", raw: bytes | None = None, **contents
):
    tensor = messages.ModelInferRequest.InferInputTensor(name="image", datatype=datatype, shape=shape)
    if contents:
        tensor.contents.CopyFrom(messages.InferTensorContents(**contents))
    names = ("label", "probabilities")
    outputs = [messages.ModelInferRequest.InferRequestedOutputTensor(name=name) for name in names]
    raw_contents = [] if raw is None else [raw]
    return messages.ModelInferRequest(
        model_name=model,
        model_version=version,
        inputs=[tensor],
        outputs=outputs,
        raw_input_contents=raw_contents,
    )


def infer(request) -> tuple[list[str], np.ndarray]:
    """The answer has its values in the form in which the request had them."""
    answer = stub.ModelInfer(request, metadata=authorized)
    label, probabilities = answer.outputs
    if answer.raw_output_contents:
        labels = unpack(answer.raw_output_contents[0])
        values = np.frombuffer(answer.raw_output_contents[1], np.float32)
    else:
        labels = [text.decode() for text in label.contents.bytes_contents]
        values = np.array(probabilities.contents.fp32_contents, np.float32)
    return labels, values.reshape(tuple(probabilities.shape))


def unpack(data: bytes) -> list[str]:
    """Each element of BYTES has its length before it."""
    texts = []
    while data:
        length = int.from_bytes(data[:4], "little")
        texts.append(data[4 : 4 + length].decode())
        data = data[4 + length :]
    return texts


def pack(elements: list[bytes]) -> bytes:
    return b"".join(len(element).to_bytes(4, "little") + element for element in elements)


def read_images() -> None:
    floats, greys = comparison.floats, comparison.greys
    for name, request in [
        ("FP32 raw", request_of("FP32", floats.shape, raw=floats.tobytes())),
        ("FP32 typed", request_of("FP32", floats.shape, fp32_contents=floats.flatten())),
        ("UINT8 raw", request_of("UINT8", greys.shape, version="1", raw=greys.tobytes())),
        ("UINT8 typed", request_of("UINT8", greys.shape, version="champion", uint_contents=greys.flatten())),
    ]:
        comparison.add_way(f"generated stub, {name}", [infer(request)])
    parts = list(in_parts(comparison.pictures, pictures_of_request))
    typed = [infer(request_of("BYTES", [len(part)], bytes_contents=part)) for part in parts]
    comparison.add_way("generated stub, BYTES: PNGs", typed)
    raw = [infer(request_of("BYTES", [len(part)], raw=pack(part))) for part in parts]
    comparison.add_way("generated stub, BYTES: PNGs raw", raw)


def check_server() -> None:
    check = comparison.check
    check("stub: live", stub.ServerLive(messages.ServerLiveRequest()).live, True)
    check("stub: ready", stub.ServerReady(messages.ServerReadyRequest()).ready, True)
    server = stub.ServerMetadata(messages.ServerMetadataRequest(), metadata=authorized)
    check("stub: server", server.name, "trainyard")
    for version in ("", "1", "champion"):
        ready = stub.ModelReady(
            messages.ModelReadyRequest(name="mnist", version=version), metadata=authorized
        )
        check(f"stub: version {version!r} ready", ready.ready, True)
        model = stub.ModelMetadata(
            messages.ModelMetadataRequest(name="mnist", version=version), metadata=authorized
        )
        check("stub: model", (model.name, list(model.versions)), ("mnist", ["1"]))
        tensors = [(each.name, each.datatype, list(each.shape)) for each in [*model.inputs, *model.outputs]]
        check(
            "stub: tensors",
            tensors,
            [
                ("image", "FP32", [-1, 28, 28, 1]),
                ("probabilities", "FP32", [-1, 10]),
                ("label", "BYTES", [-1]),
                ("verdict", "BYTES", [-1]),
            ],
        )
    health = health_pb2_grpc.HealthStub(channel)
    serving = health_pb2.HealthCheckResponse.SERVING
    for service in ("", "inference.GRPCInferenceService"):
        answer = health.Check(health_pb2.HealthCheckRequest(service=service))
        check(f"stub: health of {service!r}", answer.status, serving)
    watching = health.Watch(health_pb2.HealthCheckRequest())
    check("stub: watched health", next(watching).status, serving)
    watching.cancel()


def check_refusals() -> None:
    image = comparison.floats[:1]
    raw = image.tobytes()
    for what, request, status, words in [
        (
            "unknown model",
            request_of("FP32", image.shape, model="letters", raw=raw),
            "NOT_FOUND",
            "mnist, got letters",
        ),
        ("unknown version", request_of("FP32", image.shape, version="9", raw=raw), "NOT_FOUND", "9"),
        ("shape", request_of("FP32", [1, 1, 28, 28], raw=raw), "INVALID_ARGUMENT", "got [1, 1, 28, 28]"),
        ("datatype", request_of("INT64", image.shape, raw=raw), "INVALID_ARGUMENT", "datatype"),
        ("few bytes", request_of("FP32", image.shape, raw=raw[1:]), "INVALID_ARGUMENT", "3136 bytes"),
        (
            "no picture",
            request_of("BYTES", [1], bytes_contents=[b"no picture"]),
            "INVALID_ARGUMENT",
            "expected a",
        ),
    ]:
        refusal = refusal_of(
            lambda: infer(request), grpc.RpcError, lambda error: (error.code().name, error.details())
        )
        comparison.check_refusal(f"stub: {what}", refusal, status, words)
    without_key = refusal_of(
        lambda: stub.ModelInfer(request_of("FP32", image.shape, raw=raw)),
        grpc.RpcError,
        lambda error: (error.code().name, error.details()),
    )
    comparison.check_refusal("stub: no key", without_key, "UNAUTHENTICATED", "API_KEY")


check_server()
check_refusals()
read_images()
channel.close()
comparison.print({name: metadata.version(name) for name in ("grpcio-tools", "grpcio", "protobuf")})
