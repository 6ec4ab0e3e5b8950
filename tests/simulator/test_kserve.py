"""The simulated server speaks KServe's protocol, version 2, as a client that knows no more than HTTP sees it."""

import httpx
import pytest

from continuo.testing.processes import Control
from tests.simulator.conftest import PROMPT, Json

TEXT: Json = {"name": "text_input", "datatype": "BYTES", "shape": [1, 1], "data": [PROMPT]}


async def test_it_is_ready_and_tells_the_tensors_of_a_model(http: httpx.AsyncClient, simulator: Control) -> None:
    assert (await http.get("/v2/health/ready")).status_code == 200
    metadata = (await http.get("/v2/models/m")).json()
    assert (metadata["name"], metadata["versions"]) == ("m", ["1"])
    assert {"name": "text_input", "datatype": "BYTES", "shape": [-1, 1]} in metadata["inputs"]
    assert {"name": "embedding", "datatype": "FP32", "shape": [-1, -1]} in metadata["outputs"]


@pytest.mark.parametrize("path", ["/v2/models/m/infer", "/v2/models/m/versions/1/infer"])
async def test_it_answers_with_the_tensor_that_is_wanted(
    http: httpx.AsyncClient, simulator: Control, path: str
) -> None:
    await simulator.behave("m", text="Hello.", embeddings={PROMPT: [0.5, -1.0]})
    words = (await http.post(path, json={"inputs": [TEXT]})).json()
    tensor = {"name": "text_output", "datatype": "BYTES", "shape": [1, 1], "data": ["Hello."]}
    assert words == {"model_name": "m", "model_version": "1", "outputs": [tensor]}
    vectors = (await http.post(path, json={"inputs": [TEXT], "outputs": [{"name": "embedding"}]})).json()
    assert vectors["outputs"] == [{"name": "embedding", "datatype": "FP32", "shape": [1, 2], "data": [0.5, -1.0]}]


@pytest.mark.parametrize(
    ("tensor", "why"),
    [
        ({**TEXT, "name": "prompt"}, "unexpected inference input 'prompt'"),
        ({**TEXT, "datatype": "FP32"}, "unexpected inference input 'text_input' of FP32"),
        ({**TEXT, "shape": [1]}, "Expected [-1,1], got [1]"),
        ({**TEXT, "shape": [9, 1], "data": ["a"] * 9}, "batch-size must be <= 8"),
        ({"name": "text_input"}, "no request of this protocol"),
    ],
)
async def test_a_tensor_that_it_does_not_take_is_refused_in_the_protocol_s_words(
    http: httpx.AsyncClient, simulator: Control, tensor: Json, why: str
) -> None:
    response = await http.post("/v2/models/m/infer", json={"inputs": [tensor]})
    assert response.status_code == 400
    assert why in response.json()["error"]
