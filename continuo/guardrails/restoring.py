"""Placeholders, and the values that they stand for, put back where they may be seen."""

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)

PLACEHOLDER = re.compile(r"<([A-Z][A-Z0-9_]{0,39})_([1-9]\d{0,5})>")

LONGEST = 48
"""Characters of a placeholder."""

_BEGUN = re.compile(r"<(?:[A-Z][A-Z0-9_]*)?")


class Restoring:
    """Knows values by their placeholders. A number stands for one where a field of JSON had it."""

    def __init__(self, values: Mapping[str, str | int]) -> None:
        self._values = dict(values)

    @property
    def values(self) -> Mapping[str, str | int]:
        """What each placeholder stands for."""
        return self._values

    def restored(self, text: str) -> str:
        """The text with the values in place of their placeholders."""
        return PLACEHOLDER.sub(lambda match: str(self._values.get(match[0], match[0])), text)

    def restored_arguments(self, text: str) -> str:
        """The same in the text of a JSON value, or in a part of one: what is put into a string of it fits there."""
        return PLACEHOLDER.sub(lambda match: _in_json(self._values.get(match[0], match[0])), text)

    def restored_value(self, value: Any) -> Any:
        """The same for each text in a JSON value that is the caller's own."""
        return self._restored(value, None)

    def restored_wire(self, value: Any) -> Any:
        """The same for one of a wire format or of ours, where the arguments of a call are JSON in a text."""
        return self._restored(value, "") if self._values else value

    def restored_model(self, model: M) -> M:
        """The same for all that a model of pydantic holds."""
        if not self._values:
            return model
        return type(model).model_validate_json(json.dumps(self.restored_wire(model.model_dump(mode="json"))))

    def sure(self, text: str) -> int:
        """How many characters of a text that goes on can be restored: behind them a placeholder may have begun."""
        start = text.rfind("<", max(0, len(text) - LONGEST))
        return start if start >= 0 and _BEGUN.fullmatch(text, start) else len(text)

    def _restored(self, value: Any, name: str | None) -> Any:
        """`name` is that of the field; None below what is the caller's own."""
        if isinstance(value, str):
            whole = self._values.get(value)
            if isinstance(whole, int):
                return whole
            return self.restored_arguments(value) if name == "arguments" else self.restored(value)
        if isinstance(value, list | tuple):
            return [self._restored(item, name) for item in value]
        if isinstance(value, dict):
            return {
                self.restored(key): self._restored(item, name if name is None else key) for key, item in value.items()
            }
        return value


def _in_json(value: str | int) -> str:
    return json.dumps(str(value), ensure_ascii=False)[1:-1]
