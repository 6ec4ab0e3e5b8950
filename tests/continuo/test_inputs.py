"""A pattern whose models do not take what is sent is refused before it runs."""

import pytest

from continuo.authoring.inputs import check_media, check_parameters
from continuo.config.catalog import Catalog
from continuo.errors import InputError
from continuo.messages import Message, ModelRequest
from continuo.parts import Image
from continuo.patterns import Cached, Call, Ensemble, Fallback, FanOut, Pipeline, PipelineStep, Route, Step, Template
from continuo.patterns.choices import Intent, Merge, Meta
from tests.support.media import part, png, wav

CATALOG = Catalog.model_validate(
    {
        "providers": {"p": {"protocol": "openai", "base_url": "http://x"}},
        "models": {"sees": {"provider": "p", "inputs": ["text", "image"]}, "reads": {"provider": "p"}},
    }
)
SEES, READS = Call(model="sees"), Call(model="reads")
PHOTO = part(png())


def check(step: Step, *media: object) -> None:
    check_media(step, ModelRequest.model_validate({"messages": [{"role": "user", "content": media}]}), CATALOG)


@pytest.mark.parametrize(
    "step",
    [
        SEES,
        Fallback(steps=(SEES, Template(text="later"))),
        Cached(SEES),
        # What is made of earlier answers is a text, which any model reads.
        Pipeline(steps=(PipelineStep(name="see", step=SEES), PipelineStep(name="write", step=READS))),
        FanOut(branches={"a": SEES}, merge=Merge(step=READS)),
        Ensemble(members=(SEES, SEES), combine=Meta(step=READS)),
        Route(by=Intent(step=READS), branches={"a": SEES}, default="a"),
    ],
)
def test_a_pattern_whose_models_are_given_what_they_take_may_run(step: Step) -> None:
    check(step, PHOTO)


@pytest.mark.parametrize(
    "step",
    [
        READS,
        Fallback(steps=(SEES, READS)),
        Cached(READS),
        Pipeline(steps=(PipelineStep(name="see", step=READS),)),
        FanOut(branches={"a": SEES, "b": READS}),
        Ensemble(members=(SEES, SEES), otherwise=READS),
        Route(by=Intent(step=SEES), branches={"a": READS}, default="a"),
    ],
)
def test_every_model_that_could_be_given_it_must_take_it(step: Step) -> None:
    with pytest.raises(InputError, match=r"^model 'reads' of the pattern takes no image; use one whose `inputs`"):
        check(step, PHOTO)


def test_media_that_no_model_would_be_given_are_refused() -> None:
    step = Pipeline(steps=(PipelineStep(name="see", prompt="Describe {input}", step=SEES),))
    with pytest.raises(InputError, match="no model of the pattern is given the image, only a text made from it"):
        check(step, PHOTO)


def test_each_kind_is_told_and_the_sum_of_sizes_is_limited() -> None:
    with pytest.raises(InputError, match="takes no audio and image"):
        check(READS, PHOTO, part(wav()))
    assert isinstance(PHOTO, Image)
    large = PHOTO.model_copy(update={"size": 15_000_000})
    with pytest.raises(InputError, match=r"the media have together 30,000,000 bytes, more than 20,000,000"):
        check(SEES, large, large)


def test_text_alone_asks_nothing_of_a_model() -> None:
    check_media(READS, ModelRequest(messages=(Message(role="user", content="Hi"),)), CATALOG)


MIXED = Catalog.model_validate(
    {
        "providers": {name: {"protocol": name} for name in ("openai", "anthropic", "google", "knowledge")},
        "models": {
            "open": {"provider": "openai", "logprobs": True},
            "thinks": {"provider": "openai", "refuses": ["temperature", "top_p"]},
            "claude": {"provider": "anthropic", "refuses": ["temperature", "tool_choice"]},
            "gemini": {"provider": "google"},
            "knows": {"provider": "knowledge"},
        },
    }
)  # fmt: skip
OPEN, THINKS, CLAUDE, GEMINI, KNOWS = (Call(model=name) for name in ("open", "thinks", "claude", "gemini", "knows"))
TOOL = {"tools": [{"name": "weather"}]}


def parametrised(step: Step, **fields: object) -> None:
    asked = ModelRequest.model_validate({"messages": [{"role": "user", "content": "Hi"}], **fields})
    check_parameters(step, asked, MIXED)


@pytest.mark.parametrize(
    ("step", "fields", "told"),
    [
        (CLAUDE, {"seed": 7}, "model 'claude' of the pattern takes no seed; leave it out, or use another model"),
        (Fallback(steps=(OPEN, CLAUDE)), {"response_format": "json_object"}, "'claude' of the pattern takes no resp"),
        (Cached(CLAUDE), {"tool_choice": "required", **TOOL}, "'claude' of the pattern takes no tool_choice"),
        (GEMINI, {"parallel_tool_calls": False, **TOOL}, "'gemini' of the pattern takes no parallel_tool_calls"),
        (GEMINI, {"logprobs": True}, "'gemini' of the pattern takes no logprobs"),
        (Call(model="claude", seed=7), {}, "'claude' of the pattern takes no seed"),
        (THINKS, {"temperature": 0.2}, "no model of the pattern takes temperature; leave it out, or use another"),
        (Fallback(steps=(THINKS, CLAUDE)), {"temperature": 0.2}, "no model of the pattern takes temperature"),
    ],
)
def test_what_is_demanded_must_be_taken_by_every_model_and_what_tunes_by_one(
    step: Step, fields: dict[str, object], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        parametrised(step, **fields)


@pytest.mark.parametrize(
    ("step", "fields"),
    [
        (OPEN, {"seed": 7, "logprobs": True, "tool_choice": "required", "temperature": 1, **TOOL}),
        # Left out where it is refused, as long as it counts somewhere.
        (Fallback(steps=(THINKS, OPEN)), {"temperature": 0.2}),
        (Fallback(steps=(CLAUDE, OPEN)), {"frequency_penalty": 1}),
        # A step names an alias, and whatever model answers for it today is to answer.
        (Call(model="thinks", temperature=0.2), {}),
        # Every model leaves the choice to itself, and calls none where it is to call none.
        (CLAUDE, {"tool_choice": "none", **TOOL}),
        (CLAUDE, {"tool_choice": "auto", **TOOL}),
        # Hints are followed by whoever can.
        (CLAUDE, {"verbosity": "low", "user": "ada", "prompt_cache_key": "a", "metadata": {"a": "b"}}),
        # A classifier is asked for a word, without tools.
        (Route(by=Intent(step=CLAUDE), branches={"a": OPEN}, default="a"), {"tool_choice": "required", **TOOL}),
        # A section of a file is what it is.
        (Fallback(steps=(OPEN, KNOWS)), {"logprobs": True, "seed": 7}),
        (Template(text="later"), {"temperature": 0.2}),
    ],
)
def test_a_request_that_its_models_can_answer_may_run(step: Step, fields: dict[str, object]) -> None:
    parametrised(step, **fields)


def test_a_model_takes_a_request_whose_parts_and_demands_it_takes() -> None:
    def takes(name: str, *media: object, **fields: object) -> bool:
        turns = [{"role": "user", "content": media or "Hi"}]
        return MIXED.takes(MIXED.models[name], ModelRequest.model_validate({"messages": turns, **fields}))

    assert takes("open", seed=7, temperature=0.2)
    assert takes("claude", temperature=0.2)
    assert not takes("claude", seed=7)
    assert not takes("open", PHOTO)
