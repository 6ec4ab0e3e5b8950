"""A pattern whose models do not take what is sent is refused before it runs."""

import pytest

from continuo.authoring.inputs import check_media
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
