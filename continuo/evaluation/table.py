"""A table of what models answered to questions, and whether they were right: JSON lines, perhaps gzipped."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from continuo.errors import InputError

Share = Annotated[float, Field(ge=0, le=1)]

ROUNDED = 6
"""Digits of a confidence, as many as those that a provider's probabilities give."""


class _Logged(BaseModel):
    """Of somebody else's making: what else stands there is left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Answer(_Logged):
    """What a model answered. `correct` is true, false or a share of right in 0..1.

    `cost_usd` is what it cost, of which `rating_usd` was for asking how sure it is: who looks at no `confidence` (0..1)
    need not pay that. `answer` is its text, or the beginning of that.
    """

    correct: Share
    cost_usd: Annotated[float, Field(ge=0)]
    rating_usd: Annotated[float, Field(ge=0)] = 0.0
    confidence: Annotated[Share | None, AfterValidator(lambda value: value and round(value, ROUNDED))] = None
    tokens_in: Annotated[int, Field(ge=0)] = 0
    tokens_out: Annotated[int, Field(ge=0)] = 0
    latency_ms: Annotated[float, Field(ge=0)] = 0.0
    answer: str = ""

    def cost(self, *, rated: bool) -> float:
        """USD, with or without asking how sure it is."""
        return self.cost_usd if rated else self.cost_usd - self.rating_usd


class Question(_Logged):
    """A prompt, and what each of some `models` answered to it."""

    prompt: str = Field(validation_alias=AliasChoices("prompt", "question"), min_length=1)
    models: dict[str, Answer] = Field(min_length=1)


class _Line(Answer):
    """One answer of a log."""

    prompt: str = Field(validation_alias=AliasChoices("prompt", "question"), min_length=1)
    model: str = Field(min_length=1)


def read_table(path: Path) -> tuple[Question, ...]:
    """The questions of a table, in their order.

    A line is a question with its `models`, or one answer with its `prompt` and `model`, which with others to the same
    prompt is one question. Of several answers that a model gave to one prompt the last counts.

    Raises `InputError` with the line and the field of what is wrong.
    """
    answers: dict[str, dict[str, Answer]] = {}
    order: list[str] = []
    for number, line in _lines(path):
        try:
            value = json.loads(line)
            if not isinstance(value, dict) or not value.keys() & {"models", "model"}:
                raise ValueError('neither a question with "models" nor an answer with its "model"')
            if "models" in value:
                question = Question.model_validate(value)
                answers.setdefault(question.prompt, {}).update(question.models)
                order.append(question.prompt)
            else:
                logged = _Line.model_validate(value)
                if logged.prompt not in answers:
                    order.append(logged.prompt)
                answers.setdefault(logged.prompt, {})[logged.model] = logged
        except ValidationError as error:
            raise InputError(f"{path}:{number}: {_first(error)}") from None
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}:{number}: {error}; write a JSON object a line, see docs/evidence.md") from None
    if not answers:
        raise InputError(f"{path}: no questions; write a JSON object a line, see docs/evidence.md")
    return tuple(Question.model_construct(prompt=prompt, models=answers[prompt]) for prompt in order)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        opened: Any = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; save it as UTF-8") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: not a whole gzip file: {error}") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; name a file that exists") from None


def _first(error: ValidationError) -> str:
    """The first mistake, with its field; a log may hold what is not to be shown."""
    mistake = error.errors(include_input=False)[0]
    return f"{'.'.join(map(str, mistake['loc']))}: {mistake['msg']}"
