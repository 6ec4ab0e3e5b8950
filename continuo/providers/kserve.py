"""KServe's Open Inference Protocol, version 2, over HTTP, as Triton, KServe and MLServer speak it."""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import quote

from continuo.config.kserve import Real, Tensors
from continuo.errors import ProviderError
from continuo.messages import Message, ModelRequest, ModelResponse
from continuo.parameters import Demand, Tuning
from continuo.providers.embeddings import Embedding, embedding
from continuo.providers.errors import invalid_response, reading
from continuo.providers.openai import turns
from continuo.providers.protocol import NO_MEDIA, Json, StreamDecoder, WireProtocol, WireRequest

if TYPE_CHECKING:
    from continuo.config.catalog import Model


class KServeEmbeddings:
    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors

    def encode(self, base_url: str, model: str, request: ModelRequest) -> WireRequest:
        texts = [turn.text for turn in request.messages]
        return _inference(base_url, model, self._tensors, [_tensor(self._tensors, self._tensors.input, "BYTES", texts)])

    def decode(self, body: Json) -> Embedding:
        with reading():
            shape, values = _output(body, self._tensors.output, get_args(Real))
            length = shape[-1]
            # The shape is not multiplied out: it may say anything.
            if len(values) % length:
                raise invalid_response(f"{len(values)} values are no vectors of {length}")
            return embedding([values[at : at + length] for at in range(0, len(values), length)], None)


class KServe(WireProtocol):
    """The protocol has no stream, counts no tokens, and knows nothing of turns: what there is, a model's `tensors` say.

    Without these it is nobody's yet, see `of`.
    """

    streams = False
    ready = "/health/ready"

    def __init__(self, tensors: Tensors | None = None) -> None:
        self._tensors = tensors
        taken = tensors.taken.keys() if tensors else set()
        self.lacks = frozenset({*get_args(Demand), *get_args(Tuning)} - {"embed"} - taken)
        self.embeds = max(1, tensors.max_batch_size) if tensors else 1
        self.embeddings = KServeEmbeddings(tensors) if tensors else None

    def of(self, model: "Model") -> "KServe":
        return KServe(model.tensors)

    def key_headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"}

    def encode(
        self, base_url: str, model: str, request: ModelRequest, *, stream: bool, media: Mapping[str, bytes] = NO_MEDIA
    ) -> WireRequest:
        tensors = self._declared
        inputs = [_tensor(tensors, tensors.input, "BYTES", [_text(request, tensors)])]
        for name, tensor in tensors.taken.items():
            if (value := getattr(request, name)) is not None:
                if value < 0 and tensor.datatype.startswith("U"):
                    what = f"{name} is {value}, and the model's tensor {tensor.name!r} takes nothing below 0"
                    raise ProviderError("invalid_request", what)
                inputs.append(_tensor(tensors, tensor.name, tensor.datatype, [value]))
        return _inference(base_url, model, tensors, inputs)

    def decode(self, body: Json) -> ModelResponse:
        name = self._declared.output
        with reading():
            _, values = _output(body, name, ("BYTES",))
            if len(values) != 1 or not isinstance(values[0], str):
                raise invalid_response(f"the tensor {name!r} holds {len(values)} values, and not one text")
            return ModelResponse(message=Message(role="assistant", content=values[0]), finish_reason="stop", usage=None)

    def stream_decoder(self) -> StreamDecoder:
        raise NotImplementedError

    @property
    def _declared(self) -> Tensors:
        assert self._tensors is not None, "a catalog has no model of this protocol without its tensors"
        return self._tensors


def _text(request: ModelRequest, tensors: Tensors) -> str:
    if tensors.messages:
        return json.dumps(turns(request), ensure_ascii=False)
    return "\n\n".join(filter(None, (request.system, *(turn.text for turn in request.messages))))


def _inference(base_url: str, model: str, tensors: Tensors, inputs: list[Json]) -> WireRequest:
    version = f"/versions/{tensors.version}" if tensors.version else ""
    url = f"{base_url}/models/{quote(model, safe='')}{version}/infer"
    return WireRequest(url, {"inputs": inputs, "outputs": [{"name": tensors.output}]})


def _tensor(tensors: Tensors, name: str, datatype: str, values: list[Any]) -> Json:
    """One value for each of a batch."""
    shape = [len(values), 1] if tensors.max_batch_size else [len(values)]
    return {"name": name, "datatype": datatype, "shape": shape, "data": values}


def _output(body: Json, name: str, datatypes: tuple[str, ...]) -> tuple[list[int], list[Any]]:
    """The shape of a tensor of the answer, as it is told, and its values in a row."""
    tensor = next((one for one in body["outputs"] if one["name"] == name), None)
    if tensor is None:
        raise invalid_response(f"the response has no tensor {name!r}")
    if tensor["datatype"] not in datatypes:
        raise invalid_response(f"the tensor {name!r} is of {tensor['datatype']}, and not of {' or '.join(datatypes)}")
    return tensor["shape"], [*_flat(tensor["data"])]


def _flat(data: list[Any]) -> Iterator[Any]:
    """A tensor may come flat or nested."""
    for one in data:
        if isinstance(one, list):
            yield from _flat(one)
        else:
            yield one
