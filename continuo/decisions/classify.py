"""Which label a prompt gets: the classifiers of a route that need no model, and the reading of one that does."""

import re
from collections.abc import Iterable
from unicodedata import normalize

from continuo.decisions.learned import learned_label
from continuo.jobs import Prefer
from continuo.patterns.choices import BudgetUse, Complexity, Keywords, Learned, Length, Preference

# Words that ask for a chain of thought; British spelling included.
_REASONING = ("analyze", "analyse", "compare", "explain", "why", "how")

# Words that as a rule only people who build software use. Left out on purpose, since everyday prompts hold them too:
# bug, class, cloud, function, go, model, object, runtime, rust, script, server, string, swift, table, test.
_TECHNICAL = (
    "technical", "code", "source code", "programming", "software", "algorithm", "algorithms", "refactor", "debug",
    "debugging", "compiler", "recursion", "recursive", "concurrency", "multithreading", "mutex", "deadlock",
    "asynchronous", "boolean", "regex", "regexp", "regular expression", "unit test", "unit tests", "stack trace",
    "stacktrace", "traceback", "segfault", "api", "apis", "endpoint", "endpoints", "backend", "frontend", "http",
    "https", "tcp", "oauth", "jwt", "json", "yaml", "xml", "html", "css", "sql", "nosql", "postgres", "postgresql",
    "mysql", "sqlite", "mongodb", "redis", "kafka", "database", "databases", "schema", "python", "javascript",
    "typescript", "java", "c++", "c#", "golang", "kotlin", "php", "bash", "linux", "git", "github", "docker",
    "dockerfile", "kubernetes", "terraform", "nginx", "microservice", "microservices", "time complexity",
    "data structure", "data structures", "machine learning", "neural network", "neural networks",
)  # fmt: skip

# A shop's customers write about these every day.
_OTHER_CODES = re.compile(
    r"\b(?:access|activation|area|country|coupon|discount|dress|error|gift|post|postal|promo|promotion|qr|security|"
    r"tracking|verification|voucher|zip) codes?\b"
)

# What code looks like, in nearly any language. All bounded, so that no prompt takes long; in the case it is written in,
# since "SELECT … FROM" is SQL and "select a gift from" is not.
_CODE = re.compile(
    r"```"  # a fenced block
    r"|(?<!\w)`[^`\n]{1,200}`(?!\w)"  # a span of code, but not the apostrophes of "it`s"
    r"|\b(?:def|func|function|fn) \w{1,80}\("
    r"|\w\(\)|\w\([^()\n]{1,200}\);[ \t]*$"  # a call
    r"|(?<![=!])[!=]==?(?!=)"  # a comparison, but not the line under a heading
    r"|\{[ \t]*$|^[ \t]*\}"  # a block's braces
    r"|</\w{1,40}>"  # a closing tag
    r"|#include\b"
    r"|\bSELECT\s[^;]{1,200}?\sFROM\b|\b(?:INSERT INTO|DELETE FROM|CREATE TABLE)\b",
    re.MULTILINE,
)


def classify(
    by: Complexity | Length | Keywords | Preference | Learned, prompt: str, prefer: Prefer | None
) -> str | None:
    """The label that `by` gives; None when keywords find none. `prefer` is what the job's context says."""
    match by:
        case Complexity():
            score = complexity(prompt, by.words)
            return "high" if score >= by.high else "medium" if score >= by.medium else "low"
        case Length():
            return "local" if len(prompt) < by.local else "mini" if len(prompt) < by.mini else "premium"
        case Keywords():
            text = normalised(prompt)
            return next((label for label, words in by.labels.items() if _holds(text, words)), None)
        case Learned():
            return learned_label(by, prompt)
        case Preference():
            return prefer or by.default


def affordable(by: BudgetUse, used: float) -> str:
    """The label for a budget of which the share `used` is used, 0..1 and above."""
    return "premium" if used < by.premium else "mid" if used < by.mid else "free"


def complexity(prompt: str, words: int) -> float:
    """How complex a prompt looks, in 0..1, by its `signals`."""
    return sum(signals(prompt, words).values()) / 10


def signals(prompt: str, words: int) -> dict[str, int]:
    """What makes a prompt look complex, and how much: more than `words` words .3, a word that asks for reasoning .3,
    technical or code .2, a question mark before its last character .2. In tenths: as floats, .1 + .2 would not be .3,
    and a threshold would miss."""
    text = normalised(prompt)
    counted = {
        f"over {words} words": 3 * (len(text.split()) > words),
        "asks for reasoning": 3 * _holds(text, _REASONING),
        "technical": 2 * is_technical(prompt),
        "a question within": 2 * ("?" in prompt.strip()[:-1]),
    }
    return {name: tenths for name, tenths in counted.items() if tenths}


def is_technical(prompt: str) -> bool:
    """Whether it holds code, or words that belong to building software."""
    return bool(_CODE.search(prompt)) or _holds(_OTHER_CODES.sub("", normalised(prompt)), _TECHNICAL)


def label_in(answer: str, labels: Iterable[str]) -> str | None:
    """Which of `labels` a model named: all that it said, or the only one it said; None when that is none or several.

    Case, white space and what surrounds the answer (quotes, Markdown, a full stop) do not count. Of labels that
    overlap, as "order" and "order status", the longer one was said.
    """
    by_name = {name: label for label in labels if (name := _bare(label))}
    if (said := _bare(answer)) in by_name:
        return by_name[said]
    matched = set(_whole(sorted(by_name, key=len, reverse=True)).findall(normalised(answer)))
    return by_name[matched.pop()] if len(matched) == 1 else None


def normalised(text: str) -> str:
    """The text without regard to case, white space and how its accents are encoded."""
    return " ".join(normalize("NFKC", text).casefold().split())


def _bare(text: str) -> str:
    return re.sub(r"^[\W_]+|[\W_]+$", "", normalised(text))


def _holds(text: str, words: Iterable[str]) -> bool:
    """Whether any of `words` (or phrases) stands whole in `text`, which is normalised."""
    return bool(_whole(filter(None, map(normalised, words))).search(text))


def _whole(words: Iterable[str]) -> re.Pattern[str]:
    """Finds any of `words` as whole words; without any, nothing."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words)) or '(?!)'})(?!\w)")
