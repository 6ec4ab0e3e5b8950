"""Which label a prompt gets: pure functions, one for each classifier of a route."""

import re
from collections.abc import Iterable

from continuo.choices import Complexity, Keywords, Length, Preference
from continuo.jobs import Prefer

_REASONING = re.compile(r"\b(analy[sz]e|compare|explain|why|how)\b", re.IGNORECASE)

_TECHNICAL = re.compile(
    # Words that hardly stand in an everyday question …
    r"\b(algorithms?|api|async|bugs?|code|compil\w+|css|databases?|debug\w*|docker|exception|functions?|html|java"
    r"|javascript|json|kubernetes|python|query|refactor\w*|regex\w*|rust|sql|stack ?trace|typescript|xml|yaml)\b"
    # … and what only code looks like: in quotes, a call, a definition, an import, a comparison, an end of a line in C.
    r"|`[^`\n]+`|```|\b\w+\(\)|\b(def|fn|func)\s+\w+\(|\bclass\s+\w+\s*[:({]"
    r"|^\s*(import|from)\s+[\w.]+\s*($|import\b)|\bselect\b.+\bfrom\b|[=!]==?|=>|->|[;{]\s*$",
    re.IGNORECASE | re.MULTILINE,
)

_WORD = re.compile(r"[\w-]+")


def classify(by: Complexity | Length | Keywords | Preference, prompt: str, prefer: Prefer | None) -> str | None:
    """The label of `prompt`, or None when no keyword stands in it. `prefer` is what the job's context prefers."""
    match by:
        case Complexity():
            score = complexity(prompt, by.words)
            return "high" if score >= by.high else "medium" if score >= by.medium else "low"
        case Length():
            return "local" if len(prompt) < by.local else "mini" if len(prompt) < by.mini else "premium"
        case Keywords():
            return next((label for label, words in by.labels.items() if holds(prompt, words)), None)
    return prefer or by.default


def complexity(prompt: str, words: int) -> float:
    """A score in 0..1: +.3 for more than `words` words, +.3 for a word that asks for reasoning, +.2 for something
    technical or code, +.2 for a question mark before the last character."""
    text = prompt.strip()
    # In tenths: sums of .1 and .2 as floats can end just under the threshold they reach.
    tenths = 3 * (len(text.split()) > words)
    tenths += 3 * bool(_REASONING.search(text))
    tenths += 2 * bool(_TECHNICAL.search(text))
    tenths += 2 * ("?" in text[:-1])
    return tenths / 10


def holds(text: str, words: Iterable[str]) -> bool:
    """Whether one of the words or phrases stands in `text`, whole and in any case."""
    folded = _folded(text)
    return any(f" {_folded(word).strip()} " in folded for word in words)


def label_in(answer: str, labels: Iterable[str]) -> str | None:
    """The label that a model's answer names: the whole answer, or the only one that stands in it."""
    named = list(labels)
    whole = [label for label in named if _folded(label) == _folded(answer)]
    found = whole or [label for label in named if holds(answer, [label])]
    return found[0] if len(found) == 1 else None


def _folded(text: str) -> str:
    """The words of `text` alone, without case, each between spaces."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "
