"""The real SDK as the peer of the mapping, over a real socket."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from continuo.deltas import TextDelta
from continuo.jobs import Failure, Outcome
from continuo.parts import Reasoning, Text
from continuo.wire import responses as dialect
from continuo.wire.accepted import Accepted
from continuo.wire.account import account
from continuo.wire.errors import WireError, status_of
from continuo.wire.openai_errors import error as error_body
from continuo.wire.parsed import parsed
from continuo.wire.pieces import Broken, Piece, pieces
from tests.wire.outcomes import PARIS, WEATHER, outcome

TOOLS: list[Any] = [{"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}]


class Gateway:
    """Answers with what is set, and keeps what was asked and answered."""

    def __init__(self) -> None:
        self.answer: Outcome | Failure | list[Piece] = PARIS
        self.accepted: list[Accepted] = []
        self.items: list[dict[str, Any]] = []

    def create(self, request: Request) -> Response:
        try:
            body = parsed(dialect.Body, request.data)
            whole = dialect.continued(body, self.items) if body.previous_response_id else body
            self.accepted.append(dialect.request(whole, resolve=lambda name: f"model:{name}"))
        except WireError as error:
            return answered(error_body(error.status, error.message, param=error.param), error.status)
        if isinstance(self.answer, Failure):
            status = status_of(self.answer)
            return answered(error_body(status.status, self.answer.message, code=status.code), status.status)
        if body.stream:
            return Response(self.stream(body), content_type="text/event-stream")
        assert isinstance(self.answer, Outcome)
        told = account(self.answer, "model:gpt")
        made = dialect.response(self.answer, told, body, id="resp_1", created_at=1.0, completed_at=2.0)
        self.items = [*dialect.input_items(whole.input, "resp_1"), *made["output"]]
        return answered(made)

    def stream(self, body: dialect.Body) -> Iterator[bytes]:
        events = dialect.Events(body, id="resp_1", created_at=1.0, clock=lambda: 2.0)
        yield from events.start()
        whole = pieces(self.answer, account(self.answer, "p")) if isinstance(self.answer, Outcome) else self.answer
        assert not isinstance(whole, Failure)
        for piece in whole:
            yield from events.feed(piece)

    def count(self, request: Request) -> Response:
        return answered(dialect.input_tokens(parsed(dialect.CountBody, request.data)))

    def list(self, request: Request) -> Response:
        return answered(dialect.page(self.items, limit=1, order="asc", after=request.args.get("after")))


def answered(body: Mapping[str, object], status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


@pytest.fixture
def gateway(httpserver: HTTPServer) -> Gateway:
    made = Gateway()
    httpserver.expect_request("/v1/responses", method="POST").respond_with_handler(made.create)
    httpserver.expect_request("/v1/responses/input_tokens", method="POST").respond_with_handler(made.count)
    httpserver.expect_request("/v1/responses/resp_1/input_items").respond_with_handler(made.list)
    return made


@pytest.fixture
def client(httpserver: HTTPServer, gateway: Gateway) -> Iterator[OpenAI]:
    with OpenAI(base_url=httpserver.url_for("/v1"), api_key="key", max_retries=0) as made:
        yield made


def test_a_response_carries_the_answer_its_usage_and_our_account(client: OpenAI, gateway: Gateway) -> None:
    response = client.responses.create(model="gpt-9", input="Where?", metadata={"a": "b"}, instructions="Be brief.")
    assert (response.output_text, response.status, response.metadata) == ("Paris.", "completed", {"a": "b"})
    assert response.usage is not None
    assert (response.usage.total_tokens, response.usage.input_tokens_details.cached_tokens) == (17, 4)
    ours = response.to_dict()["continuo"]
    assert isinstance(ours, dict)
    assert (ours["cost_usd"], ours["model"]) == (0.25, "claude-real")
    request = gateway.accepted[0].request
    assert (request.pattern, request.system, request.messages[0].text) == ("model:gpt-9", "Be brief.", "Where?")


async def test_the_async_client_reads_the_same(httpserver: HTTPServer, gateway: Gateway) -> None:
    async with AsyncOpenAI(base_url=httpserver.url_for("/v1"), api_key="key") as client:
        assert (await client.responses.create(model="gpt-9", input="Where?")).output_text == "Paris."
        async with client.responses.stream(model="gpt-9", input="Where?") as stream:
            assert (await stream.get_final_response()).output_text == "Paris."


def test_a_tool_is_called_and_its_result_goes_back_with_the_thought_that_led_to_it(
    client: OpenAI, gateway: Gateway
) -> None:
    thought = Reasoning(protocol="anthropic", text="Look it up.", signature="abc")
    gateway.answer = outcome(thought, Text(text="One moment."), calls=(WEATHER,))
    first = client.responses.create(model="m", input="Weather?", tools=TOOLS, include=["reasoning.encrypted_content"])
    assert [item.type for item in first.output] == ["reasoning", "message", "function_call"]
    turns: list[Any] = [
        {"role": "user", "content": "Weather?"},
        *first.output,
        {"type": "function_call_output", "call_id": "call_1", "output": "Rain."},
    ]
    client.responses.create(model="m", input=turns, tools=TOOLS)
    asked, answer, tool = gateway.accepted[1].request.messages
    assert (asked.text, answer) == ("Weather?", gateway.answer.message)
    assert (tool.role, tool.text, tool.tool_call_id) == ("tool", "Rain.", "call_1")


def test_a_response_goes_on_from_the_one_before(client: OpenAI, gateway: Gateway) -> None:
    client.responses.create(model="m", input="Where?")
    client.responses.create(model="m", input="Sure?", previous_response_id="resp_1")
    assert [(turn.role, turn.text) for turn in gateway.accepted[1].request.messages] == [
        ("user", "Where?"),
        ("assistant", "Paris."),
        ("user", "Sure?"),
    ]


def test_streams_end_as_the_whole_response(client: OpenAI, gateway: Gateway) -> None:
    thought = Reasoning(protocol="openai", text="Hm.", signature="c2ln")
    gateway.answer = outcome(thought, Text(text="One moment."), calls=(WEATHER,))
    whole = client.responses.create(model="m", input="Weather?", tools=TOOLS)
    *_, last = client.responses.create(model="m", input="Weather?", tools=TOOLS, stream=True)
    assert last.type == "response.completed"
    assert (last.response.output, last.response.usage) == (whole.output, whole.usage)
    assert {"pattern": "p", "tier": 1}.items() <= dict(last.to_dict()["continuo"]).items()  # type: ignore[call-overload]
    with client.responses.stream(model="m", input="Weather?", tools=TOOLS) as stream:
        assert "".join(one.delta for one in stream if one.type == "response.output_text.delta") == "One moment."
        assert stream.get_final_response().output_text == "One moment."


def test_a_stream_that_breaks_raises_and_never_ends_as_if_it_were_whole(client: OpenAI, gateway: Gateway) -> None:
    gateway.answer = [TextDelta("Par"), Broken("the provider went away")]
    kinds: list[str] = []
    stream = client.responses.create(model="m", input="Where?", stream=True)
    with stream, pytest.raises(openai.APIError, match="the provider went away"):
        kinds.extend(event.type for event in stream)
    assert kinds[-1] == "response.failed"
    assert "response.completed" not in kinds


def test_an_answer_that_is_cut_is_incomplete(client: OpenAI, gateway: Gateway) -> None:
    gateway.answer = outcome(Text(text="Par"), finish_reason="length")
    response = client.responses.create(model="m", input="Where?", max_output_tokens=1)
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


def test_structured_outputs_are_parsed(client: OpenAI, gateway: Gateway) -> None:
    class City(BaseModel):
        name: str

    gateway.answer = outcome(Text(text='{"name": "Paris"}'))
    assert client.responses.parse(model="m", input="Which?", text_format=City).output_parsed == City(name="Paris")
    with client.responses.stream(model="m", input="Which?", text_format=City) as stream:
        assert stream.get_final_response().output_parsed == City(name="Paris")
    parameters = gateway.accepted[0].request.parameters
    assert parameters.strict is True
    assert parameters.response_schema is not None
    assert "name" in str(parameters.response_schema["properties"])


@pytest.mark.parametrize(
    ("failure", "exception"),
    [
        ("InputError", openai.BadRequestError),
        ("not_found", openai.NotFoundError),
        ("budget_spent", openai.RateLimitError),
        ("FallbackExhausted", openai.InternalServerError),
        ("something_new", openai.InternalServerError),
    ],
)
def test_a_failure_is_a_typed_exception(
    client: OpenAI, gateway: Gateway, failure: str, exception: type[Exception]
) -> None:
    gateway.answer = Failure(type=failure, message="it did not work")
    with pytest.raises(exception, match="it did not work"):
        client.responses.create(model="m", input="Where?")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"extra_body": {"surprise": 1}}, "surprise"),
        ({"tools": [{"type": "web_search"}]}, "tools.0.type"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input.0"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input.0.content.0.text"),
        ({"truncation": "auto"}, "truncation"),
        ({"include": ["web_search_call.results"]}, "include.0"),
        ({"previous_response_id": "resp_1", "conversation": "conv_1"}, "conversation"),
        ({"input": []}, "input"),
    ],
)
def test_what_is_not_taken_is_refused_by_its_name(client: OpenAI, fields: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(**{"model": "m", "input": "Where?", **fields})
    assert refused.value.param == param


def test_tokens_are_counted_and_items_listed(client: OpenAI) -> None:
    count = client.responses.input_tokens.count(model="m", input="x" * 400, tools=TOOLS)
    assert count.input_tokens > 100
    client.responses.create(model="m", input="Where?")
    listed = list(client.responses.input_items.list("resp_1", order="asc", limit=1))
    assert [item.type for item in listed] == ["message", "message"]
