"""Every text of an outcome that somebody may see."""

from collections.abc import Callable

from continuo.jobs import Outcome
from continuo.messages import Message, content_of
from continuo.parts import Reasoning

Change = Callable[[str], str]


def changed(outcome: Outcome, change: Change) -> Outcome:
    """The outcome with each of its texts as `change` gives it; the same object where that leaves them as they are.

    Of a text that is another one there are no log-probabilities and no segments of an audio, and of a thought that is
    another one no signature: they would tell what it was.
    """
    text = change(outcome.text)
    update: dict[str, object] = {
        "text": text,
        "message": outcome.message and _message(outcome.message.saying(text), change),
        "outputs": {name: change(output) for name, output in outcome.outputs.items()},
        "alternatives": tuple(
            alternative.model_copy(update={"text": change(alternative.text)}) for alternative in outcome.alternatives
        ),
    }
    if text != outcome.text:
        update |= {"logprobs": (), "transcript": None}
    if outcome.verdict is not None:
        lines = tuple(map(change, outcome.verdict.changes))
        update["verdict"] = outcome.verdict.model_copy(update={"changes": lines})
    other = outcome.model_copy(update=update)
    return outcome if other == outcome else other


def _message(message: Message, change: Change) -> Message:
    calls = tuple(call.model_copy(update={"arguments": change(call.arguments)}) for call in message.tool_calls)
    if not isinstance(message.content, str):
        parts = [_thought(part, change) if isinstance(part, Reasoning) else part for part in message.content]
        message = message.model_copy(update={"content": content_of(parts)})
    return message.model_copy(update={"tool_calls": calls})


def _thought(thought: Reasoning, change: Change) -> Reasoning:
    text = change(thought.text)
    return thought if text == thought.text else thought.model_copy(update={"text": text, "signature": None})
