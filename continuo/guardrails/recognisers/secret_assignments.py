"""Passwords and keys that a name before them tells: `password: …`, `apiToken = "…"`, `my password is …`."""

from collections.abc import Iterator

from continuo.guardrails.findings import Finding
from continuo.guardrails.recognisers.folded import Folded
from continuo.guardrails.recognisers.random_text import is_name, is_random
from continuo.regex import of_bytes

PASSWORD = (
    r"passw(?:or)?d|passwort|kennwort|passphrase|passcode|pwd|pass|contrase\xff+a|mot de passe|senha|wachtwoord|parola"
)
KEY = r"access|auth|api|credentials?|creds|key|secret|token"
NAME = of_bytes(rf"(?i)(?:({PASSWORD})|{KEY})([\w.-]*)")
_CLOSED = r"(?:[ \t][A-Za-z]{1,12})?\\*[\"']{0,3}[ \t]{0,5}"
"""What may stand between a name and its operator: a type, and the end of quotes."""
ASSIGNS = of_bytes(rf"{_CLOSED}(?:[:.?+|<>!]{{0,3}}=>?|:|->)(?:\\*[\"'`]|[\s=|>]){{0,6}}")
LISTS = of_bytes(rf"{_CLOSED}[,(>|](?:\\*[\"'`]|[\s(>]){{0,6}}")
SAYS = of_bytes(r"(?i)[\"']?[ \t]{1,3}(?:is now|is|was|ist|lautet|est|es|\xff)[ \t:]{1,3}[\"'`]?")
FOLLOWS = of_bytes(r"[ \t]{1,2}[\"'`]?")
OPERATORS = (ASSIGNS, LISTS, SAYS, FOLLOWS)
QUOTED = of_bytes(r"[^\"'`\s\\]{4,256}")
BARE = of_bytes(r"[^\"'`\s\\<>,;)\]}:.][^\"'`\s\\<>,;)\]}]{3,511}")
QUOTES = frozenset(b"\"'`")
SIGNS = frozenset(b"!@#$%^&*?~+=")

NO_SECRET = of_bytes(
    r"(?i)[\w.-]*?[_.-]?(?:ids?|name|alias|type|length|size|count|limit|ur[il]|endpoint|file|path|version|policy|hash"
    r"|field|format|expir\w*|ttl|label|index|hint|vault|board|words?|log|level|used|usage|ring|store|idempotency)"
)
"""What follows in a name that is no secret's, as in key_name, tokenCount and keyboard."""
PLACEHOLDER = of_bytes(
    r"(?i)(?:.*(?:your|example|change.?me|placeholder|redacted|dummy|sample|insert|xxxx|\*\*\*"
    r"|\.\.\.|<|\$[{(]|\{\{|%\()"
    r"|(?:string|text|none|null|nil|true|false|undefined|password|passwort|secret|token|required|optional|empty|hidden"
    r"|hashed|encrypted)$|[$@(\[{]|%(?:\w+%|[sd])$)"
)
CODE = of_bytes(r"[A-Za-z_][\w.]*[\[({]|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$")


def assigned(view: Folded) -> Iterator[Finding]:
    data, last = view.data, 0
    for match in NAME.finditer(data):
        end = match.span()[1]
        if end < last or _is_other_word(data, *match.span(1)):
            continue
        place = _value(data, end, is_password=match.span(1)[0] >= 0)
        if place and not NO_SECRET.fullmatch(data[slice(*match.span(2))]):
            last = place[1]
            yield Finding("SECRET", *place)


def _is_other_word(data: bytes, start: int, end: int) -> bool:
    """Whether `pass` ends another word, such as bypass."""
    return end - start == len("pass") and data[start - 1 : start].isalpha()


def _value(data: bytes, end: int, *, is_password: bool) -> tuple[int, int] | None:
    """Where the secret stands that follows a name which ends there."""
    for operator in OPERATORS if is_password else OPERATORS[:-1]:
        before = operator.match(data, end)
        if before is None:
            continue
        first = before.span()[1]
        quoted = data[first - 1] in QUOTES
        value = (QUOTED if quoted else BARE).match(data, first)
        if value is None:
            continue
        text = data[first : value.span()[1]]
        if not quoted or operator is SAYS:
            text = text.rstrip(b".:")
        if PLACEHOLDER.match(text) or CODE.match(text):
            continue
        if is_password and operator in (ASSIGNS, SAYS):
            fits = _is_password(text, quoted=quoted)
        elif operator is FOLLOWS:
            fits = len(text) >= 8 and _is_password(text, quoted=False) and not is_name(text) and not text.isalpha()
        else:
            fits = len(text) >= 10 and is_random(text)
        if fits:
            return first, first + len(text)
    return None


def _is_password(text: bytes, *, quoted: bool) -> bool:
    """What is not in quotes may be any word of a sentence or a program: it needs a digit or a sign beside letters."""
    if quoted:
        return len(text) >= 6
    if len(text) < 6 or text.isdigit():
        return False
    return any(byte in SIGNS or 48 <= byte <= 57 for byte in text) or not is_name(text)
