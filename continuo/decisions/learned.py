"""Which branch a learned router takes: by what can be seen of a prompt at once, without any model."""

import re
from math import exp, log1p

from continuo.patterns.choices import FEATURES, WORDS, Learned

_WORD = re.compile(r"[^\W\d_]+")


def features(prompt: str) -> tuple[float, ...]:
    """What `FEATURES` names, in that order, of a prompt: numbers of about 0 to 10."""
    words = _WORD.findall(prompt.casefold())
    characters = max(1, len(prompt))
    digits = sum(map(str.isdigit, prompt))
    known = {*words}
    return (
        1.0,
        log1p(characters),
        log1p(len(words)),
        log1p(digits),
        digits / characters,
        sum(map(str.isupper, prompt)) / characters,
        float(min(prompt.count("?"), 10)),
        log1p(prompt.count("\n")),
        float(any(sign in prompt for sign in "$=^{}\\")),
        len("".join(words)) / max(1, len(words)) / 10,
        *(float(word in known) for word in WORDS),
    )


def learned_label(by: Learned, prompt: str) -> str:
    """The branch that is worth most: how likely its model is right, less its handicap; the first of equal ones."""
    seen = dict(zip(FEATURES, features(prompt), strict=True))

    def worth(label: str) -> float:
        score = sum(weight * seen[name] for name, weight in by.weights[label].items())
        return 1 / (1 + exp(-min(max(score, -500.0), 500.0))) - by.handicaps.get(label, 0.0)

    return max(by.weights, key=worth)
