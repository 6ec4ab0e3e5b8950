"""Which words are about what, as sets of bits; and the words of a text."""

import codecs
import re
from collections import defaultdict

from continuo.guardrails.injection.english import ENGLISH
from continuo.guardrails.injection.folding import INVISIBLE, folded, spelt
from continuo.guardrails.injection.languages import EVERY

BITS = {topic: 1 << number for number, topic in enumerate((*ENGLISH, "encoded", "gptname"))}
ENCODED = BITS["encoded"]

_CJK = "\u2e80-\u2fdf\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9d"
_LETTERS = (
    "0-9A-Za-z@$\u00aa\u00b5\u00ba\u00c0-\u037d\u037f-\u0589\u0591-\u060b\u0610-\u061a\u0620-\u06d3\u06d5-\u0963\u0966-\u1fff"
    "\u24b6-\u24e9\u2c00-\u2dff\ua640-\uabff\uac00-\ud7a3\ufb00-\ufdff\ufe70-\ufefc\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"
    f"\U0001d400-\U0001d7ff\U0001f130-\U0001f189{INVISIBLE}"
)


def bits(topics: str) -> int:
    """Those of topics with spaces between them."""
    return sum(BITS[topic] for topic in topics.split())


def _vocabulary() -> tuple[dict[str, int], dict[str, int], list[str]]:
    """Whole words, beginnings of words, and parts of words without spaces between them."""
    whole: dict[str, int] = defaultdict(int)
    begins: dict[str, int] = defaultdict(int)
    parts: set[str] = set()
    for language in (ENGLISH, *EVERY):
        for topic, words in language.items():
            for word in words.split():
                if re.match(f"[{_CJK}]", word):
                    parts.add(word)
                plain = folded(word.rstrip("*"))
                (begins if word.endswith("*") else whole)[plain] |= BITS[topic]
    return dict(whole), dict(begins), sorted(parts, key=len, reverse=True)


HEAD = 2
"""Letters by which the beginnings of words are found."""

_WHOLE, _stems, _PARTS = _vocabulary()
_BEGINS = {head: tuple(stem for stem in _stems if stem.startswith(head)) for head in {stem[:HEAD] for stem in _stems}}

_TURNED = {
    turned: about | ENCODED
    for word, about in _WHOLE.items()
    if word.isascii() and word.isalpha() and len(word) > 5
    for turned in (codecs.encode(word, "rot13"), word[::-1])
    if turned not in _WHOLE
}
"""English words in rot13, and written backwards."""

_ENDS = frozenset(".!?。！？।؟\n")
_SENTENCE_END = r"[.!?](?=[\s\"'”])|[。！？।؟]|\n[ \t\r]{0,20}\n"
TOKEN = re.compile(f"[{_LETTERS}]+|{_SENTENCE_END}")
# None begins as another does: what is most often there is tried first, and the parts where one may begin.
TOKEN_OR_PART = re.compile(f"[{_LETTERS}]+|{_SENTENCE_END}|(?=[{_CJK}])(?:{'|'.join(_PARTS)})")
"""Words and ends of sentences. The second finds the parts of Chinese and Japanese words."""

_HAS_PARTS = re.compile(f"[{_CJK}]")


def expression(text: str) -> re.Pattern[str]:
    """The one that finds the words of this text."""
    return TOKEN if text.isascii() or not _HAS_PARTS.search(text) else TOKEN_OR_PART


def topics(token: str) -> int:
    """What a word is about; that of the end of a sentence is -1."""
    if token[0] in _ENDS:
        return -1
    word = token.lower() if token.isascii() else folded(token)
    if (about := _of(word)) or word.isalpha():
        return BITS["dan"] if token == "DAN" else about or _TURNED.get(word, 0)
    return _of(spelt(word))


def _of(word: str) -> int:
    about = _WHOLE.get(word, 0)
    if (stems := _BEGINS.get(word[:HEAD])) is not None and word.startswith(stems):
        for stem in stems:
            if word.startswith(stem):
                about |= _stems[stem]
    if not about and word.endswith("gpt") and len(word) > 3:
        return BITS["gptname"]
    return about
