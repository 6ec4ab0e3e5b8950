"""What is written with JSON's escapes is read without them, so that none hides anything."""

import re
from bisect import bisect_right
from collections.abc import Iterator

from continuo.guardrails.findings import Finding, Recogniser

_ESCAPE = re.compile(r'\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|["\\/bfnrt])')
_NAMED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def unescaped(text: str) -> str:
    """The text as it is read; outside of JSON nearly always as it is."""
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def as_read(recognise: Recogniser) -> Recogniser:
    """The same recogniser for texts as they are written: it sees them as they are read."""

    def recognise_written(text: str) -> Iterator[Finding]:
        if "\\" not in text:
            yield from recognise(text)
            return
        # Behind each escape: where that is as it is read, and how much longer the text is until there as it is written.
        behind, longer, pieces, at = [0], [0], list[str](), 0
        for match in _ESCAPE.finditer(text):
            pieces += [text[at : match.start()], character := _character(match)]
            at = match.end()
            longer.append(longer[-1] + len(match[0]) - len(character))
            behind.append(at - longer[-1])
        for kind, start, end in recognise("".join([*pieces, text[at:]])):
            first, last = (longer[bisect_right(behind, place) - 1] for place in (start, end))
            yield Finding(kind, start + first, end + last)

    return recognise_written


def _character(match: re.Match[str]) -> str:
    code = match[0][1:]
    if code[0] != "u":
        return _NAMED.get(code, code)
    if len(code) > 5:
        high, low = int(code[1:5], 16), int(code[7:], 16)
        return chr(0x10000 + ((high - 0xD800) << 10) + low - 0xDC00)
    return chr(int(code[1:], 16))
