"""The shapes of KServe's protocol, version 2: any model has the tensors below, for batches of up to 8."""

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from continuo.simulator import embeddings
from continuo.simulator.reply import Json, Question, Reply
from continuo.simulator.responses import SIMULATED

MAX_BATCH_SIZE = 8
INPUTS = {"text_input": "BYTES", "max_tokens": "INT32", "temperature": "FP32", "top_p": "FP32", "seed": "UINT64"}
OUTPUTS = {"text_output": "BYTES", "embedding": "FP32"}


async def ready(request: Request) -> Response:
    return Response(headers=SIMULATED)


async def metadata(request: Request) -> Response:
    content = {
        "name": request.path_params["model"],
        "versions": ["1"],
        "platform": "simulator",
        "inputs": [{"name": name, "datatype": datatype, "shape": [-1, 1]} for name, datatype in INPUTS.items()],
        "outputs": [{"name": name, "datatype": datatype, "shape": [-1, -1]} for name, datatype in OUTPUTS.items()],
    }
    return JSONResponse(content, headers=SIMULATED)


def question(body: Json) -> Question:
    tensors = {tensor["name"]: _values(tensor) for tensor in body["inputs"]}
    texts = tensors["text_input"]
    [output] = [one["name"] for one in body.get("outputs") or [{"name": "text_output"}]]
    if output not in OUTPUTS:
        raise ValueError(f"unexpected inference output '{output}'")
    if any(len(values) != len(texts) for values in tensors.values()):
        raise ValueError("the inputs are of several batch sizes")
    if output == "embedding":
        return embeddings.asking(texts, None)
    [prompt] = texts
    return Question(prompt=prompt, length=len(prompt), tools=(), answered_tool=False, schema=None)


def answer(model: str, reply: Reply) -> Json:
    output = _embedding(reply.vectors) if reply.vectors else _tensor("text_output", [1, 1], [reply.text])
    return {"model_name": model, "model_version": "1", "outputs": [] if reply.empty else [output]}


def stream(model: str, reply: Reply) -> Iterator[str]:
    raise NotImplementedError


def error(status: int, message: str, code: str | None) -> Json:
    return {"error": message}


def _values(tensor: Json) -> list[str]:
    name, shape, data = tensor["name"], tensor["shape"], tensor["data"]
    if INPUTS.get(name) != tensor["datatype"]:
        raise ValueError(f"unexpected inference input '{name}' of {tensor['datatype']}")
    if shape != [len(data), 1]:
        raise ValueError(f"unexpected shape for input '{name}'. Expected [-1,1], got {shape}")
    if len(data) > MAX_BATCH_SIZE:
        raise ValueError(f"inference request batch-size must be <= {MAX_BATCH_SIZE}")
    return list(data)


def _embedding(vectors: list[list[float]]) -> Json:
    values = [number for vector in vectors for number in vector]
    return _tensor("embedding", [len(vectors), len(vectors[0])], values)


def _tensor(name: str, shape: list[int], data: list[str] | list[float]) -> Json:
    return {"name": name, "datatype": OUTPUTS[name], "shape": shape, "data": data}
