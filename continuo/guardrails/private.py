"""Personal data and secrets are replaced by placeholders, and put back where they may be seen."""

import hmac
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from continuo.config.guardrails import KINDS, Policy
from continuo.decided import Decision
from continuo.errors import InputError, RefusedByGuardrails
from continuo.guardrails.findings import Finding, Recogniser
from continuo.guardrails.restoring import PLACEHOLDER, M, Restoring

LITERAL = "TEXT"
"""The kind of what only looks like a placeholder: it is replaced by one, so that what is put back is what was there."""

MOST = 999_999
"""The highest number of a placeholder."""

FEWEST_DIGITS = 11
"""Digits of a number in JSON that is looked at: shorter ones are amounts, years, ids of things."""

LEFT = frozenset({
    "model", "type", "role", "id", "call_id", "tool_call_id", "tool_use_id", "previous_response_id", "object", "kind",
    "digest", "sha256", "signature", "encrypted_content", "protocol", "media_type", "mime_type", "format",
})  # fmt: skip
"""Fields of messages and of wire formats that name things of the protocol; what they hold is checked elsewhere."""

WHO = frozenset({"user", "user_id", "safety_identifier", "prompt_cache_key", "session", "conversation"})
"""Fields that tell callers' people and conversations apart: a placeholder would be the same for all."""

ADDRESSED = "webhook"
"""What we are to call, and not to keep a secret of."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_=-]{1000}")


class Private(Restoring):
    """Withholds what is in the texts of one run, conversation or batch. The same value has the same placeholder."""

    def __init__(
        self,
        policy: Policy,
        recognise: Recogniser,
        values: Mapping[str, str | int] | None = None,
        *,
        secret: Callable[[], bytes],
        spread: bool = False,
    ) -> None:
        """`values` are known already; `secret` is that of pseudonyms.

        With `spread` the numbers of placeholders are made of their values, so that several may add to the same ones at
        once; without, they count from 1, so that requests that say the same of others are alike.
        """
        super().__init__(values or {})
        self.policy = policy
        self.counts: Counter[tuple[str, str]] = Counter()
        self._recognise = recognise
        self._secret = secret
        self._literals = frozenset({*KINDS, *policy.own, "SECRET", LITERAL})
        self.spread = spread
        self._placeholders = {(_kind(name), value): name for name, value in self._values.items()}
        self._numbers: Counter[str] = Counter()
        for name in self._values:
            self._numbers[_kind(name)] = max(self._numbers[_kind(name)], int(name[1:-1].rpartition("_")[2]))

    @property
    def decision(self) -> Decision:
        """What was decided until now, for the audit."""
        actions = {action for action, _ in self.counts}
        action = "redacted" if "redact" in actions else "flagged" if actions else "passed"
        counts: Counter[str] = Counter()
        for (_, kind), count in self.counts.items():
            counts[kind] += count
        return Decision(stage="private", action=action, findings=dict(counts))

    def text(self, text: str) -> str:
        """The text with placeholders; the same object where there is nothing to replace.

        Raises `InputError` for what is to be rejected.
        """
        return self._replaced(text, self._in(text))

    def edited(self, text: str) -> str:
        """The same for somebody who was shown placeholders: those that are known stay as they are."""
        return self._replaced(text, (one for one in self._in(text) if text[one.start : one.end] not in self._values))

    def value(self, value: Any) -> Any:
        """The same for each text in a JSON value that is the caller's own, and for long numbers."""
        return self._bounded(value, None)

    def wire(self, value: Any) -> Any:
        """The same for one whose fields are of a wire format or of ours: `LEFT` stay, `WHO` get pseudonyms."""
        return self._bounded(value, "")

    def model(self, model: M) -> M:
        """The same for all that a model of pydantic holds."""
        dumped = model.model_dump(mode="json")
        made = self.wire(dumped)
        return model if made is dumped else type(model).model_validate_json(json.dumps(made))

    def pseudonym(self, text: str) -> str:
        """A name for a person or a conversation: itself, or one that tells it apart and says nothing else."""
        kinds = [finding.kind for finding in self._in(text) if finding.kind != LITERAL]
        if not kinds:
            return text
        return f"{kinds[0].lower()}-{pseudonym_end(self._secret(), text)}"

    def _replaced(self, text: str, findings: Iterable[Finding]) -> str:
        pieces, at = [], 0
        for finding in findings:
            pieces += [text[at : finding.start], self._placeholder(finding.kind, text[finding.start : finding.end])]
            at = finding.end
        return "".join([*pieces, text[at:]]) if pieces else text

    def _in(self, text: str) -> Iterator[Finding]:
        """What is to be replaced, from left to right."""
        counted = [finding for finding in self._recognise(text) if self._counts(finding)]
        literals = [
            Finding(LITERAL, match.start(), match.end())
            for match in (PLACEHOLDER.finditer(text) if self.policy.restore and "<" in text else ())
            if match[1] in self._literals
        ]
        at = 0
        for finding in sorted([*counted, *literals], key=lambda finding: (finding.start, -finding.end)):
            if finding.start >= at:
                yield finding
                at = finding.end

    def _counts(self, finding: Finding) -> bool:
        """Whether a finding is to be replaced; it is noted however that is."""
        action = self.policy.action(finding.kind)
        if action == "reject":
            what = finding.kind.replace("_", " ").lower()
            message = f"{what}: config/guardrails.toml refuses requests that hold one; leave it out"
            raise RefusedByGuardrails(message, "private", {finding.kind: 1})
        if action == "off":
            return False
        self.counts[action, finding.kind] += 1
        return action == "redact"

    def _placeholder(self, kind: str, value: str | int) -> str:
        known = self._placeholders.get((kind, value))
        if known is None:
            known = self._new(kind, value)
            self._placeholders[kind, value] = known
            self._values[known] = value
        return known

    def _bounded(self, value: Any, name: str | None) -> Any:
        try:
            return self._walked(value, name)
        except RecursionError:
            raise InputError("it is nested too deep; flatten it") from None

    def _walked(self, value: Any, name: str | None) -> Any:
        """`name` is that of the field; None below what is the caller's own."""
        if isinstance(value, str):
            return self._field(name, value)
        if isinstance(value, int):
            return self._number(value)
        if isinstance(value, list | tuple):
            items = [self._walked(item, name) for item in value]
            return value if _same(items, value) else items
        if isinstance(value, dict):
            names = [self.text(key) for key in value]
            items = [
                item if key == ADDRESSED else self._walked(item, _inside(name, key, item))
                for key, item in value.items()
            ]
            unchanged = _same(names, [*value]) and _same(items, [*value.values()])
            return value if unchanged else dict(zip(names, items, strict=True))
        return value

    def _new(self, kind: str, value: str | int) -> str:
        if not self.spread:
            self._numbers[kind] += 1
            return f"<{kind}_{self._numbers[kind]}>"
        digest = hmac.digest(self._secret(), f"{kind}:{value}".encode(errors="surrogatepass"), sha256)
        number = int.from_bytes(digest[:8]) % MOST + 1
        while (known := f"<{kind}_{number}>") in self._values:
            number = number % MOST + 1
        return known

    def _field(self, name: str | None, text: str) -> str:
        if name in LEFT or text.startswith("data:") or _BASE64.match(text):
            return text
        if name in WHO:
            return self.pseudonym(text)
        return self._arguments(text) if name == "arguments" else self.text(text)

    def _arguments(self, text: str) -> str:
        """The arguments of a call, in which a value may be written with escapes."""
        try:
            read = json.loads(text)
        except ValueError:
            return self.text(text)
        made = self.value(read)
        return text if made is read else json.dumps(made, ensure_ascii=False)

    def _number(self, number: int) -> int | str:
        text = str(number)
        if len(text) < FEWEST_DIGITS:
            return number
        for finding in self._in(text):
            if finding.end - finding.start == len(text):
                return self._placeholder(finding.kind, number)
        return number


def _inside(name: str | None, key: str, item: Any) -> str | None:
    """What stands for the name of a field's content: the data of a job and the input of a tool are the caller's own."""
    return None if name is None or key == "data" or (key == "input" and isinstance(item, dict)) else key


def _kind(placeholder: str) -> str:
    return placeholder[1:-1].rpartition("_")[0]


def _same(made: list[Any], before: Any) -> bool:
    return all(one is other for one, other in zip(made, before, strict=True))


def pseudonym_end(secret: bytes, text: str) -> str:
    """What a pseudonym of this name ends with, whatever it begins with."""
    return hmac.digest(secret, text.encode(), sha256).hex()[:16]
