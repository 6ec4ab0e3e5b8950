"""Whether an answer repeats its instructions."""

from collections.abc import Iterable, Iterator

from continuo.guardrails.checks.redaction import spans
from continuo.guardrails.checks.words import words
from continuo.guardrails.findings import Finding

SYSTEM_PROMPT = "SYSTEM_PROMPT"

RUN = 12
"""So many words of the instructions in a row are more than an answer has by chance; of instructions with fewer words,
and `FEWEST` at least, it takes them all."""

FEWEST = 6


class Repeated:
    """Long parts of these instructions, word for word, but for what the request says too."""

    def __init__(self, instructions: Iterable[str], request: Iterable[str]) -> None:
        self._runs: dict[int, set[int]] = {}
        for text in instructions:
            spoken = _spoken(text)
            if (length := min(RUN, len(spoken))) >= FEWEST:
                self._runs.setdefault(length, set()).update(_runs(spoken, length))
        for spoken in [_spoken(text) for text in request] if self._runs else ():
            for length, runs in self._runs.items():
                runs.difference_update(_runs(spoken, length))

    def __call__(self, text: str) -> Iterator[Finding]:
        every = words(text) if self._runs else []
        spoken = [word.text for word in every]
        repeated = [
            Finding(SYSTEM_PROMPT, every[at].start, every[at + length - 1].end)
            for length, known in self._runs.items()
            for at, run in enumerate(_runs(spoken, length))
            if run in known
        ]
        return (Finding(SYSTEM_PROMPT, start, end) for start, end in spans(repeated))


def _spoken(text: str) -> list[str]:
    return [word.text for word in words(text)]


def _runs(spoken: list[str], length: int) -> Iterator[int]:
    return (hash(tuple(spoken[at : at + length])) for at in range(len(spoken) - length + 1))
