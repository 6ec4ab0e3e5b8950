"""What is left out of a request makes room, in order, and cuts no call of a tool from its result."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from continuo.decisions.compaction import (
    NOTE,
    all_tokens,
    before,
    left_out,
    left_out_of,
    note,
    oldest,
    shortened,
    turns_of,
)
from continuo.messages import Message, ModelRequest, ToolCall
from continuo.parameters import Tool
from continuo.parts import Image, Text
from continuo.patterns import Compaction, Compress, Template

ANY = Template(text="Yes.")
TEXTS = st.integers(0, 800).map(lambda length: "x" * length)


def said(text: str) -> Message:
    return Message(role="user", content=text)


def answered(text: str) -> Message:
    return Message(role="assistant", content=text)


def looked_up(text: str, calls: int = 1) -> list[Message]:
    """An answer that calls a tool, with the results; ids come again in each, as those of some models do."""
    wanted = tuple(ToolCall(id=str(at), name="look", arguments="{}") for at in range(calls))
    results = [Message(role="tool", content=text, tool_call_id=call.id) for call in wanted]
    return [Message(role="assistant", tool_calls=wanted), *results]


TURNS = st.one_of(
    TEXTS.map(lambda text: [said(text)]),
    TEXTS.map(lambda text: [answered(text)]),
    st.tuples(TEXTS, st.integers(1, 3)).map(lambda drawn: looked_up(*drawn)),
)
REQUESTS = st.builds(
    lambda turns, system, tools: ModelRequest(messages=tuple(chain.from_iterable(turns)), system=system, tools=tools),
    st.lists(TURNS, min_size=1, max_size=12),
    st.none() | TEXTS,
    st.just(()) | st.just((Tool(name="look"),)),
)
STEPS = st.builds(Compress, st.just(ANY), tokens=st.integers(100, 1200), keep=st.integers(1, 4))


def compressed(request: ModelRequest, step: Compress) -> ModelRequest:
    gone = left_out_of(request, step)
    return request if gone is None else shortened(request, gone.cut, note(gone.turns))


@given(REQUESTS, STEPS)
def test_what_is_left_fits_unless_what_must_stay_is_more_and_is_left_then(
    request_: ModelRequest, step: Compress
) -> None:
    left = compressed(request_, step)
    turns = turns_of(request_.messages)
    # What must stay: the last turns, and the one of what the user said last.
    spoken = [at for at, turn in enumerate(turns) if turn[0].role == "user"][-1:]
    stay = [turn for at, turn in enumerate(turns) if at in spoken or at >= len(turns) - step.keep]
    least = all_tokens(request_.model_copy(update={"messages": tuple(chain.from_iterable(stay))}))
    assert all_tokens(left) <= max(step.tokens, least + NOTE)
    assert all_tokens(left) <= all_tokens(request_)
    assert left == request_ or all_tokens(request_) > step.tokens
    assert compressed(left, step) == left


@given(REQUESTS, STEPS)
def test_what_is_left_is_in_order_whole_and_with_its_instructions(request_: ModelRequest, step: Compress) -> None:
    left = compressed(request_, step)
    assert (left.system, left.tools) == (request_.system, request_.tools)
    if left == request_:
        return
    turns, kept = turns_of(request_.messages), turns_of(left.messages)
    # Behind what holds the note all is as it was; calls and results stay pairs.
    assert kept[1:] == turns[len(turns) - len(kept) + 1 :]
    assert len(kept) > step.keep
    [opening] = kept[0]
    assert "left out here" in opening.text
    assert left.prompt.startswith(request_.prompt) or not request_.last_from_user


@given(REQUESTS, STEPS)
def test_a_summary_has_room_within_the_tokens(request_: ModelRequest, step: Compress) -> None:
    gone = left_out_of(request_, step.model_copy(update={"summary": ANY}))
    if gone is None or not gone.room:
        return
    assert gone.room <= step.tokens // 4
    left = shortened(request_, gone.cut, note(gone.turns, "s" * 4 * gone.room))
    assert all_tokens(left) <= step.tokens
    # What is summed up begins where the request begins.
    summed = before(request_, gone.cut)
    assert summed == request_.messages[: len(summed)]


def test_what_was_asked_stays_with_the_note_where_an_agents_client_has_gone_on_since() -> None:
    image = Image(sha256="0" * 64, size=1, media_type="image/png", width=9, height=9)
    task = Message(role="user", content=(image, Text(text="What is it?")))
    request = ModelRequest(messages=(said("x" * 900), task, *looked_up("y" * 9000), *looked_up("z" * 2000)))
    left = compressed(request, Compress(ANY, tokens=2500))
    assert left.messages[0].media == (image,)
    assert left.prompt == "What is it?\n\n[2 earlier turns are left out here.]"
    assert left.messages[1:] == tuple(looked_up("z" * 2000))


def test_no_embedding_is_left_out() -> None:
    request = ModelRequest(messages=tuple(said("x" * 900) for _ in range(9)), embed=True)
    assert left_out_of(request, Compress(ANY, tokens=100)) is None


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(-5, 500))
def test_as_few_of_the_oldest_as_free_enough(sizes: list[int], free: int) -> None:
    count = oldest(sizes, free)
    assert sum(sizes[:count]) >= free or count == len(sizes)
    assert count == 0 or sum(sizes[: count - 1]) < free


@given(
    sizes=st.lists(st.integers(0, 5_000), max_size=30),
    shown=st.integers(0, 5_000),
    tokens=st.integers(100, 50_000),
    keep=st.integers(1, 12),
)
def test_what_an_agent_leaves_out_makes_room_and_keeps_the_last_turns(
    sizes: list[int], shown: int, tokens: int, keep: int
) -> None:
    read = sum(sizes) + shown
    count = left_out(sizes, read, Compaction(tokens=tokens, keep=keep))
    assert 0 <= count <= max(0, len(sizes) - 1)
    if read <= tokens:
        assert count == 0
        return
    rest = read - sum(sizes[:count])
    # There is room, or nothing more to leave out.
    assert rest <= tokens or count >= len(sizes) - 1
    if count > len(sizes) - keep >= 0:
        # One of those to be kept went, since all of them did not fit.
        assert read - sum(sizes[: count - 1]) > tokens
    elif 0 < count <= len(sizes) - keep:
        assert read - sum(sizes[: count - 1]) > tokens // 2
