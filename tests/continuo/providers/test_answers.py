"""What the real providers answer, by the shapes their documentation gives, read through a real socket."""

import json

import pytest

from continuo.errors import ProviderError
from continuo.messages import Usage, estimated_tokens
from continuo.parts import Reasoning, Text
from continuo.providers.client import ModelClient
from tests.continuo.providers.conftest import HELLO, PROTOCOLS, Wire, ask, shape, streamed

pytestmark = pytest.mark.parametrize("protocol", PROTOCOLS)


def text_usage(protocol: str) -> Usage:
    """Of `text.json`, in which Anthropic alone tells what was written into its cache."""
    written = 100 if protocol == "anthropic" else 0
    return Usage(input_tokens=1200, output_tokens=10, cached_tokens=1024, written_tokens=written)


async def test_a_text_comes_with_all_its_tokens_and_without_thoughts(
    models: ModelClient, wire: Wire, protocol: str
) -> None:
    wire.answers(shape(protocol, "text.json"))
    found = await ask(models, protocol)
    assert (found.message.text, found.finish_reason, found.simulated) == ("Bonjour !", "stop", False)
    assert found.usage == text_usage(protocol)


async def test_an_answer_cut_at_the_limit_says_so(models: ModelClient, wire: Wire, protocol: str) -> None:
    wire.answers(shape(protocol, "length.json"))
    found = await ask(models, protocol)
    assert (found.message.text, found.finish_reason) == ("Bon", "length")


async def test_json_output_is_the_text_of_the_answer(models: ModelClient, wire: Wire, protocol: str) -> None:
    wire.answers(shape(protocol, "json.json"))
    found = await ask(models, protocol, HELLO.model_copy(update={"response_schema": {"type": "object"}}))
    assert json.loads(found.message.text) == {"answer": 42}


async def test_tool_calls_are_told_apart_by_their_ids(models: ModelClient, wire: Wire, protocol: str) -> None:
    wire.answers(shape(protocol, "tools.json"))
    found = await ask(models, protocol)
    calls = found.message.tool_calls
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [
        ("weather", {"city": "Paris"}),
        ("clock", {}),
    ]
    assert len({call.id for call in calls} - {""}) == 2
    assert found.finish_reason == "tool_calls"
    assert found.usage == Usage(input_tokens=82, output_tokens=17)


async def test_a_stream_gives_the_text_piece_by_piece_then_the_whole(
    models: ModelClient, wire: Wire, protocol: str
) -> None:
    wire.answers(shape(protocol, "stream.sse"))
    pieces, whole = await streamed(models, protocol)
    assert pieces == ["Bonjour", " !"]
    assert (whole.message.text, whole.finish_reason, whole.usage) == ("Bonjour !", "stop", text_usage(protocol))


async def test_streamed_tool_calls_are_put_together(models: ModelClient, wire: Wire, protocol: str) -> None:
    wire.answers(shape(protocol, "stream_tools.sse"))
    pieces, whole = await streamed(models, protocol)
    calls = whole.message.tool_calls
    assert pieces == []
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [
        ("weather", {"city": "Paris"}),
        ("clock", {}),
    ]
    assert len({call.id for call in calls} - {""}) == 2
    assert (whole.finish_reason, whole.usage) == ("tool_calls", Usage(input_tokens=82, output_tokens=17))


async def test_a_streamed_text_may_hold_any_line_separator(models: ModelClient, wire: Wire, protocol: str) -> None:
    wire.answers(shape(protocol, "stream.sse").decode().replace("Bonjour", "Bon\u2028jour\x85"))
    _, whole = await streamed(models, protocol)
    assert whole.message.text == "Bon\u2028jour\x85 !"


async def test_a_refusal_is_final_and_keeps_its_usage(models: ModelClient, wire: Wire, protocol: str) -> None:
    wire.answers(shape(protocol, "refusal.json"))
    with pytest.raises(ProviderError, match=f"^{protocol}: the model refused") as caught:
        await ask(models, protocol)
    assert (caught.value.kind, caught.value.retryable) == ("refused", False)
    assert caught.value.usage == Usage(input_tokens=81, output_tokens=11)


@pytest.mark.parametrize("name", ["empty.json", "misshapen.json"])
async def test_an_answer_without_content_may_be_asked_for_again_and_keeps_its_usage(
    models: ModelClient, wire: Wire, protocol: str, name: str
) -> None:
    wire.answers(shape(protocol, name))
    with pytest.raises(ProviderError, match=f"^{protocol}: ") as caught:
        await ask(models, protocol)
    assert (caught.value.kind, caught.value.retryable) == ("invalid_response", True)
    assert caught.value.usage == Usage(input_tokens=81, output_tokens=11)


@pytest.mark.parametrize("body", ["<html>", "", "[]", "null", "{}", "[" * 100_000, '{"choices": 7}'])
async def test_a_body_of_no_known_shape_may_be_asked_for_again(
    models: ModelClient, wire: Wire, protocol: str, body: str
) -> None:
    wire.answers(body)
    with pytest.raises(ProviderError, match=f"^{protocol}: the response") as caught:
        await ask(models, protocol)
    assert (caught.value.kind, caught.value.retryable) == ("invalid_response", True)


async def test_a_stream_that_ends_before_its_end_marker_may_be_asked_for_again(
    models: ModelClient, wire: Wire, protocol: str
) -> None:
    whole = shape(protocol, "stream.sse")
    wire.answers(whole[: whole.index(b" !")])
    with pytest.raises(ProviderError, match=f"^{protocol}: the stream was cut") as caught:
        await streamed(models, protocol)
    assert (caught.value.kind, caught.value.retryable) == ("invalid_response", True)


async def test_an_error_inside_a_stream_is_the_provider_s_own(models: ModelClient, wire: Wire, protocol: str) -> None:
    wire.answers(shape(protocol, "stream_error.sse"))
    with pytest.raises(ProviderError, match=rf"^{protocol}: error in the stream: 5\d\d (The|Over)") as caught:
        await streamed(models, protocol)
    assert (caught.value.kind, caught.value.retryable) == ("server_error", True)


async def test_an_error_body_is_read_in_every_dialect(models: ModelClient, wire: Wire, protocol: str) -> None:
    wire.answers(shape(protocol, "error.json"), 529)
    message = json.loads(shape(protocol, "error.json"))["error"]["message"]
    with pytest.raises(ProviderError) as caught:
        await ask(models, protocol)
    assert str(caught.value) == f"{protocol}: 529 {message}"


async def test_usage_that_is_not_given_is_estimated_and_marked(models: ModelClient, wire: Wire, protocol: str) -> None:
    body = json.loads(shape(protocol, "text.json"))
    wire.answers(json.dumps({name: value for name, value in body.items() if not name.startswith("usage")}))
    found = await ask(models, protocol)
    # What it has thought is written too.
    written = estimated_tokens(*(part.text for part in found.message.parts if isinstance(part, Text | Reasoning)))
    assert found.usage == Usage(input_tokens=5, output_tokens=written, estimated=True)


async def test_a_simulated_answer_is_marked(models: ModelClient, wire: Wire, protocol: str) -> None:
    wire.answers(shape(protocol, "text.json"), x_continuo_simulated="true")
    assert (await ask(models, protocol)).simulated
