"""In which language a text is written, as far as letters tell."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from continuo.errors import InputError

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

FEWEST = 25
"""Letters below which nothing is said of a text: a word or two could be of many languages."""

LIKELY = 0.1
"""What the languages that are allowed have together of the probability, at least. Neighbours, such as Danish and
Norwegian, share it."""

PART = 5000
"""Characters that are looked at together: more have something of every language. Half the parts of a text suffice."""

_NO_PROSE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|\bhttps?://\S+", re.DOTALL)


def is_in(text: str, languages: tuple[str, ...]) -> bool:
    """Whether a text is likely to be in one of the languages, apart from code and links; a short one always is.

    Raises `InputError` without the extra `language`.
    """
    prose = _NO_PROSE.sub(" ", text)
    if sum(map(str.isalpha, prose)) < FEWEST:
        return True
    parts = [prose[at : at + PART] for at in range(0, len(prose), PART)]
    return sum(_likely(part, languages) for part in parts) * 2 >= len(parts)


def _likely(prose: str, languages: tuple[str, ...]) -> bool:
    shares: list[tuple[str, float]] = _identifier().rank(prose)
    return sum(share for name, share in shares if name in languages) >= LIKELY


def known_languages() -> frozenset[str]:
    """Those that can be told apart. Raises `InputError` without the extra."""
    return frozenset(_identifier().labels)


@lru_cache(1)
def _identifier() -> "LanguageIdentifier":
    # It takes a second and some 60 MB, and few need it.
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        raise InputError("language needs an extra; pip install 'continuo-patterns[language]'") from None
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
