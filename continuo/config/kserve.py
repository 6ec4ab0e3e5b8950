"""How a model is asked by KServe's Open Inference Protocol, version 2: which tensors it takes, and which it gives."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from continuo.data import Data, Int

TensorName = Annotated[str, Field(min_length=1, max_length=256)]

Whole = Literal["INT32", "INT64", "UINT32", "UINT64"]
Real = Literal["FP32", "FP64"]


class WholeTensor(Data):
    name: TensorName
    datatype: Whole


class RealTensor(Data):
    name: TensorName
    datatype: Real


class ParameterTensors(Data):
    """The tensors of one number each that a model takes parameters of a request by."""

    max_tokens: WholeTensor | None = None
    seed: WholeTensor | None = None
    temperature: RealTensor | None = None
    top_p: RealTensor | None = None
    frequency_penalty: RealTensor | None = None
    presence_penalty: RealTensor | None = None


class Tensors(Data):
    """What a model of the protocol `kserve` takes and gives, and how many texts at once.

    The text goes into the tensor `input` (BYTES). `output` is the tensor that is read: of a model that answers with
    words one text (BYTES), of one that embeds a vector for each text (FP32 or FP64).
    `messages` sends the turns as JSON, as OpenAI's protocol has them, for a model that puts them together itself; else
    it is their texts alone, with blank lines between them.
    `max_batch_size` is as in the model's own configuration: every tensor begins with a dimension for the batch, except
    with 0, and so many texts are embedded by one request. `version` is by default the one that the server chooses.
    """

    input: TensorName
    output: TensorName
    parameters: ParameterTensors = ParameterTensors()
    messages: bool = False
    max_batch_size: Int = Field(default=0, ge=0, le=100_000)
    version: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")

    @property
    def taken(self) -> dict[str, WholeTensor | RealTensor]:
        """The tensors of parameters, by what a request calls these."""
        return {name: tensor for name, tensor in self.parameters if tensor is not None}

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [self.input, *(tensor.name for tensor in self.taken.values())]
        if twice := next((name for at, name in enumerate(names) if name in names[:at]), None):
            raise ValueError(f"two inputs are the tensor {twice!r}; give each its own")
        return self
