import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.decisions.cache_key import entry_key, family, scope
from continuo.jobs import Context, Job
from continuo.messages import Message, ModelRequest, ToolCall
from continuo.parts import Text
from continuo.patterns import Cached, Call
from continuo.patterns.choices import Semantic
from tests.support.media import part, png

INNER = Call(model="m")


def asked(
    prompt: str = "Why?", *, step: Cached | None = None, data: dict[str, int] | None = None, **context: str
) -> Job:
    return Job(
        step=step or Cached(INNER),
        context=Context.model_validate({"pattern": "p", **context}),
        request=ModelRequest(messages=(Message(role="user", content=prompt),)),
        data=dict(data or {}),
    )


def key(job: Job) -> str:
    assert isinstance(job.step, Cached)
    return entry_key(job.step, job)


@given(st.text(), st.text())
def test_two_prompts_share_a_key_only_if_they_are_the_same(one: str, other: str) -> None:
    assert (key(asked(one)) == key(asked(other))) == (one == other)


tenants = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)


@given(tenants, tenants)
def test_tenants_never_share(one: str, other: str) -> None:
    assert (key(asked(tenant=one)) == key(asked(tenant=other))) == (one == other)


def test_what_is_not_chosen_does_not_divide() -> None:
    assert key(asked(user="ada")) == key(asked(user="bob"))
    assert key(asked(priority="batch")) == key(asked(priority="critical"))
    assert key(asked(pattern="other")) == key(asked())
    by_prompt = Cached(INNER, key=("prompt",))
    assert key(asked(step=by_prompt, data={"a": 1})) == key(asked(step=by_prompt, data={"a": 2}))


def test_what_is_chosen_divides() -> None:
    by_user = Cached(INNER, key=("prompt", "user"))
    assert key(asked(step=by_user, user="ada")) != key(asked(step=by_user, user="bob"))
    by_field = Cached(INNER, key=("prompt", "data.a"))
    assert key(asked(step=by_field, data={"a": 1})) != key(asked(step=by_field, data={"a": 2}))
    assert key(asked(step=by_field, data={"a": 1, "b": 1})) == key(asked(step=by_field, data={"a": 1, "b": 2}))
    assert key(asked(data={"a": 1})) != key(asked(data={"a": 2}))


def test_another_step_or_other_instructions_have_other_answers() -> None:
    assert key(asked(step=Cached(Call(model="n")))) != key(asked())
    assert key(asked(step=Cached(Call(model="m", system="Be brief.")))) != key(asked())
    # How long it is kept is not what it says.
    assert key(asked(step=Cached(INNER, ttl=5))) == key(asked())


@given(st.permutations(["a", "b", "c"]))
def test_the_order_of_the_data_does_not_matter(names: list[str]) -> None:
    assert key(asked(data=dict.fromkeys(names, 1))) == key(asked(data=dict.fromkeys("abc", 1)))


@pytest.mark.parametrize("step", [Cached(INNER), Cached(INNER, key=("prompt",)), Cached(INNER, key=("messages",))])
def test_a_family_differs_in_what_was_said_last_alone(step: Cached) -> None:
    assert family(step, asked("one", step=step)) == family(step, asked("other", step=step))
    assert family(step, asked(step=step)) != family(step, asked(step=step, tenant="globex"))
    earlier = Message(role="user", content="Hello.")
    job = asked(step=step)
    longer = job.model_copy(update={"request": ModelRequest(messages=(earlier, *job.request.messages))})
    assert (family(step, longer) == family(step, job)) == (step.key == ("prompt",))


def test_a_tool_s_result_after_the_prompt_divides_families() -> None:
    def told(result: str) -> Job:
        turns = (Message(role="user", content="Where is it?"), Message(role="tool", tool_call_id="1", content=result))
        return asked().model_copy(update={"request": ModelRequest(messages=turns)})

    step = Cached(INNER)
    assert told("on its way").request.prompt == told("lost").request.prompt
    assert family(step, told("on its way")) != family(step, told("lost"))


def test_two_embedding_models_are_never_compared() -> None:
    one, other = (Cached(INNER, semantic=Semantic(model=model)) for model in ("one", "other"))
    assert family(one, asked(step=one)) != family(other, asked(step=other))
    # The words alone find the answer all the same.
    assert key(asked(step=one)) == key(asked(step=other)) == key(asked())


def test_entries_are_counted_by_tenant_and_step() -> None:
    assert scope(Cached(INNER), asked("one")) == scope(Cached(INNER, ttl=5), asked("other", user="ada"))
    assert scope(Cached(INNER), asked(tenant="globex")) != scope(Cached(INNER), asked())


PINNED = {
    (): (
        "8dc6e97c708670ccdda9c54fdd2f8ab3a6e157fb484ff866738efe642ead837a",
        "e8bc7c9f65c2beacd912a64d432a7a7f583218b9ac8ee14ecac99fe629f02736",
    ),
    ("prompt",): (
        "ea3bccabad8e4fe1c40127785e6f81f4d3826bb1c8b889b3168a25a47a95d970",
        "54a9423eaea850fdfcd89ca0a67fe1620a559b16ce889427cb5811fbbd73799e",
    ),
}


@pytest.mark.parametrize("fields", PINNED)
def test_requests_of_text_alone_keep_the_keys_that_earlier_releases_gave_them(fields: tuple[str, ...]) -> None:
    call = ToolCall(id="a", name="track", arguments="{}")
    turns = (
        Message(role="user", content="Where is it?"),
        Message(role="assistant", content="Let me look.", tool_calls=(call,)),
        Message(role="tool", tool_call_id="a", content="lost"),
    )
    step = Cached.model_validate({"step": INNER, "key": fields})
    request = ModelRequest(messages=turns, system="Be brief.")
    job = Job(step=step, context=Context(pattern="p"), request=request, data={"a": 1})
    assert (entry_key(step, job), family(step, job)) == PINNED[fields]


@pytest.mark.parametrize("step", [Cached(INNER), Cached(INNER, key=("prompt",)), Cached(INNER, key=("messages",))])
def test_the_same_question_about_two_images_shares_neither_key_nor_family(step: Cached) -> None:
    def about(photo: bytes, text: str = "What is it?") -> Job:
        turn = Message(role="user", content=(part(photo), Text(text=text)))
        return asked(step=step).model_copy(update={"request": ModelRequest(messages=(turn,))})

    assert key(about(png(seed=1))) == key(about(png(seed=1)))
    assert key(about(png(seed=1))) != key(about(png(seed=2)))
    assert key(about(png())) != key(asked("What is it?", step=step))
    # A question in other words about the same image may be near.
    assert family(step, about(png())) == family(step, about(png(), "What can be seen?"))
    assert family(step, about(png(seed=1))) != family(step, about(png(seed=2)))
    assert family(step, about(png())) != family(step, asked("What is it?", step=step))
