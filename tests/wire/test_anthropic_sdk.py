"""The real SDK as the peer of the mapping, over a real socket."""

import json
from collections.abc import Iterator, Mapping

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic
from pydantic import BaseModel
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from continuo.deltas import TextDelta
from continuo.jobs import Failure, Outcome
from continuo.parameters import NamedTool
from continuo.parts import Reasoning, Text
from continuo.wire import anthropic as dialect
from continuo.wire.accepted import Accepted
from continuo.wire.account import account
from continuo.wire.errors import WireError, status_of
from continuo.wire.parsed import parsed
from continuo.wire.pieces import Broken, Piece, pieces
from tests.wire.outcomes import PARIS, WEATHER, outcome

TOOLS: list[anthropic.types.ToolParam] = [
    {"name": "weather", "description": "The weather.", "input_schema": {"type": "object", "properties": {}}}
]


class Gateway:
    """Answers with what is set, and keeps what was asked."""

    def __init__(self) -> None:
        self.answer: Outcome | Failure | list[Piece] = PARIS
        self.accepted: list[Accepted] = []

    def create(self, request: Request) -> Response:
        try:
            body = parsed(dialect.Body, request.data)
            version = dialect.VERSIONS[dialect.VERSIONS.index(request.headers["anthropic-version"])]
            self.accepted.append(dialect.request(body, resolve=lambda name: f"model:{name}", version=version))
        except WireError as error:
            told = dialect.error(error.status, error.message, param=error.param, code=error.code)
            return answered(told, error.status)
        if isinstance(self.answer, Failure):
            status = status_of(self.answer)
            return answered(dialect.error(status.status, self.answer.message, code=status.code), status.status)
        if not body.stream:
            assert isinstance(self.answer, Outcome)
            ours = account(self.answer, "model:claude")
            return answered(dialect.response(self.answer, ours, id="msg_1", model=body.model))
        return Response(self.stream(body.model), content_type="text/event-stream")

    def stream(self, model: str) -> Iterator[bytes]:
        events = dialect.Events(id="msg_1", model=model)
        yield events.start()
        yield dialect.PING
        whole = pieces(self.answer, account(self.answer, "p")) if isinstance(self.answer, Outcome) else self.answer
        assert not isinstance(whole, Failure)
        for piece in whole:
            yield from events.feed(piece)

    def count(self, request: Request) -> Response:
        return answered(dialect.input_tokens(parsed(dialect.CountBody, request.data)))


def answered(body: Mapping[str, object], status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


@pytest.fixture
def gateway(httpserver: HTTPServer) -> Gateway:
    made = Gateway()
    httpserver.expect_request("/v1/messages", method="POST").respond_with_handler(made.create)
    httpserver.expect_request("/v1/messages/count_tokens", method="POST").respond_with_handler(made.count)
    ids = ["support", "gpt-9", "claude-9"]
    listed = {"limit": "2"}
    httpserver.expect_request("/v1/models", query_string=listed).respond_with_json(dialect.models(ids, limit=2))
    after = {"limit": "2", "after_id": "gpt-9"}
    last = dialect.models(ids, limit=2, after_id="gpt-9")
    httpserver.expect_request("/v1/models", query_string=after).respond_with_json(last)
    httpserver.expect_request("/v1/models/support").respond_with_json(dialect.model("support"))
    return made


@pytest.fixture
def client(httpserver: HTTPServer, gateway: Gateway) -> Iterator[Anthropic]:
    with Anthropic(base_url=httpserver.url_for("/").rstrip("/"), api_key="key", max_retries=0) as made:
        yield made


def ask(client: Anthropic, **fields: object) -> anthropic.types.Message:
    whole = {"model": "claude-9", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello?"}], **fields}
    return client.messages.create(**whole)  # type: ignore[call-overload, no-any-return]


def test_a_message_carries_the_answer_its_usage_and_our_account(client: Anthropic, gateway: Gateway) -> None:
    message = ask(client)
    assert [block.text for block in message.content if block.type == "text"] == ["Paris."]
    assert (message.stop_reason, message.model) == ("end_turn", "claude-9")
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens) == (8, 4, 5)
    ours = message.to_dict()["continuo"]
    assert isinstance(ours, dict)
    assert (ours["cost_usd"], ours["tier"], ours["model"], ours["cache"]) == (0.25, 1, "claude-real", False)
    assert gateway.accepted[0].request.pattern == "model:claude-9"


async def test_the_async_client_reads_the_same(httpserver: HTTPServer, gateway: Gateway) -> None:
    async with AsyncAnthropic(base_url=httpserver.url_for("/").rstrip("/"), api_key="key") as client:
        turns: list[anthropic.types.MessageParam] = [{"role": "user", "content": "Hello?"}]
        message = await client.messages.create(model="claude-9", max_tokens=9, messages=turns)
        assert message.content[0].type == "text"
        async with client.messages.stream(model="claude-9", max_tokens=9, messages=turns) as stream:
            assert "".join([text async for text in stream.text_stream]) == "Paris."


def test_a_tool_is_called_and_its_result_goes_back_with_the_thought_that_led_to_it(
    client: Anthropic, gateway: Gateway
) -> None:
    thought = Reasoning(protocol="openai", text="Look it up.", signature="abc")
    gateway.answer = outcome(thought, Text(text="One moment."), calls=(WEATHER,))
    first = ask(client, tools=TOOLS, tool_choice={"type": "tool", "name": "weather", "disable_parallel_tool_use": True})
    assert first.stop_reason == "tool_use"
    call = next(block for block in first.content if block.type == "tool_use")
    assert call.input == {"city": "Paris"}
    parameters = gateway.accepted[0].request.parameters
    assert (parameters.tool_choice, parameters.parallel_tool_calls) == (NamedTool(name="weather"), False)

    result = {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "Rain."}]}
    turns = [
        {"role": "user", "content": "Weather?"},
        first.to_param(),
        {"role": "user", "content": [result, {"type": "text", "text": "And now?"}]},
    ]
    ask(client, messages=turns, tools=TOOLS)
    asked, answer, tool, user = gateway.accepted[1].request.messages
    assert (asked.text, answer, user.text) == ("Weather?", gateway.answer.message, "And now?")
    assert (tool.role, tool.text, tool.tool_call_id) == ("tool", "Rain.", "call_1")


def test_streams_end_as_the_whole_message(client: Anthropic, gateway: Gateway) -> None:
    thought = Reasoning(protocol="anthropic", text="Hm.", signature="c2ln")
    gateway.answer = outcome(thought, Text(text="One moment."), calls=(WEATHER,))
    whole = ask(client, tools=TOOLS)
    turns: list[anthropic.types.MessageParam] = [{"role": "user", "content": "Hello?"}]
    with client.messages.stream(model="claude-9", max_tokens=9, messages=turns, tools=TOOLS) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_message()
    assert {"text", "thinking", "signature", "input_json", "message_stop"} <= kinds
    assert [block.to_dict() for block in final.content] == [block.to_dict() for block in whole.content]
    assert (final.stop_reason, final.usage.output_tokens) == ("tool_use", 5)


def test_the_last_event_of_a_stream_has_our_account(client: Anthropic) -> None:
    turns: list[anthropic.types.MessageParam] = [{"role": "user", "content": "Hello?"}]
    with client.messages.create(model="m", max_tokens=9, messages=turns, stream=True) as stream:
        *_, last = stream
    ours = last.to_dict()["continuo"]
    assert isinstance(ours, dict)
    assert ours["cost_usd"] == 0.25


def test_a_stream_that_breaks_raises_and_never_ends_as_if_it_were_whole(client: Anthropic, gateway: Gateway) -> None:
    gateway.answer = [TextDelta("Par"), Broken("the provider went away")]
    turns: list[anthropic.types.MessageParam] = [{"role": "user", "content": "Hello?"}]
    kinds: list[str] = []
    stream = client.messages.create(model="m", max_tokens=9, messages=turns, stream=True)
    with stream, pytest.raises(anthropic.APIStatusError, match="the provider went away"):
        kinds.extend(event.type for event in stream)
    assert kinds[-1] == "content_block_delta"


def test_structured_outputs_are_parsed(client: Anthropic, gateway: Gateway) -> None:
    class City(BaseModel):
        name: str

    gateway.answer = outcome(Text(text='{"name": "Paris"}'))
    turns: list[anthropic.types.MessageParam] = [{"role": "user", "content": "Which?"}]
    message = client.messages.parse(model="m", max_tokens=9, messages=turns, output_format=City)
    assert message.parsed_output == City(name="Paris")
    schema = gateway.accepted[0].request.parameters.response_schema
    assert schema is not None
    assert "name" in str(schema["properties"])


@pytest.mark.parametrize(
    ("failure", "exception"),
    [
        ("InputError", anthropic.BadRequestError),
        ("not_found", anthropic.NotFoundError),
        ("rate_limited", anthropic.RateLimitError),
        ("breaker_open", anthropic.APIStatusError),
        ("FallbackExhausted", anthropic.InternalServerError),
        ("something_new", anthropic.InternalServerError),
    ],
)
def test_a_failure_is_a_typed_exception(
    client: Anthropic, gateway: Gateway, failure: str, exception: type[Exception]
) -> None:
    gateway.answer = Failure(type=failure, message="it did not work")
    with pytest.raises(exception, match="it did not work"):
        ask(client)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"extra_body": {"surprise": 1}}, "surprise"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools.0.type"),
        ({"messages": [{"role": "user", "content": [{"type": "search_result"}]}]}, "messages.0.content.0"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.0.content.0.text"),
        ({"extra_body": {"temperature": 0.5}}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"tool_choice": {"type": "any"}}, None),
    ],
)
def test_what_is_not_taken_is_refused_by_its_name(client: Anthropic, fields: dict[str, object], param: str) -> None:
    with pytest.raises(anthropic.BadRequestError) as refused:
        ask(client, **fields)
    assert isinstance(refused.value.body, dict)
    assert refused.value.body["error"].get("param") == param


def test_the_older_version_takes_sampling_parameters(client: Anthropic, gateway: Gateway) -> None:
    ask(client, extra_headers={"anthropic-version": "2023-06-01"}, extra_body={"temperature": 0.5, "top_k": 3})
    parameters = gateway.accepted[0].request.parameters
    assert parameters.temperature == 0.5
    assert parameters.extra is not None
    assert parameters.extra.anthropic == {"top_k": 3}


def test_tokens_are_counted_and_models_listed(client: Anthropic) -> None:
    count = client.messages.count_tokens(model="m", messages=[{"role": "user", "content": "x" * 400}], tools=TOOLS)
    assert count.input_tokens > 100
    assert client.models.retrieve("support").display_name == "support"
    assert [model.id for model in client.models.list(limit=2)] == ["support", "gpt-9", "claude-9"]
