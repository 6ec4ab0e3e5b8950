"""The results of streamed runs: what is held of them, and had again."""

from dataclasses import dataclass, field

from continuo.client.results import LARGE, brief, in_full
from continuo.jobs import Failure, Outcome
from continuo.messages import Message, Usage

USAGE = Usage(input_tokens=3, output_tokens=4)


@dataclass
class Run:
    """One that has ended."""

    end: Outcome | Failure
    asked: list[None] = field(default_factory=list)

    async def result(self) -> Outcome | Failure:
        self.asked.append(None)
        return self.end


def outcome(text: str) -> Outcome:
    return Outcome(text=text, served_by="model", message=Message(role="assistant", content=text), usage=USAGE)


async def test_a_large_answer_is_not_held_and_had_again_in_full() -> None:
    run = Run(outcome("x" * LARGE))
    held = await brief(run)
    assert isinstance(held, Outcome)
    assert (held.text, held.message, held.usage) == ("", None, USAGE)
    assert await in_full(run, held) == run.end
    assert len(run.asked) == 2


async def test_what_is_small_or_no_answer_is_asked_for_once() -> None:
    for end in (outcome("x"), Failure(type="timeout", message="y" * LARGE)):
        run = Run(end)
        assert await in_full(run, await brief(run)) == end
        assert len(run.asked) == 1
