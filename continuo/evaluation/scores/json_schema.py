"""Whether an answer is JSON of a schema."""

from typing import Annotated, Literal

from pydantic import AfterValidator, JsonValue

from continuo.decisions.json_schema import mistake_in, mistake_of
from continuo.evaluation.examples import Example, Score
from continuo.evaluation.scores.base import Metric, lacking, right_answers
from continuo.jobs import Outcome

Schema = dict[str, JsonValue]


def _readable(schema: Schema) -> Schema:
    if (wrong := mistake_of(schema)) is not None:
        raise ValueError(f"it is no JSON schema: {wrong}")
    return schema


class JsonSchema(Metric):
    """1 where the answer's text is JSON that fits `json_schema`, or without one a right answer of the example that is a
    schema, else 0."""

    kind: Literal["json_schema"] = "json_schema"
    json_schema: Annotated[Schema, AfterValidator(_readable)] | None = None

    def check(self, example: Example) -> None:
        for schema in self._schemas(example):
            if (wrong := mistake_of(schema)) is not None:
                raise lacking(self, example, f"expects what is no JSON schema: {wrong}")

    def score(self, outcome: Outcome, example: Example) -> Score:
        mistakes = [mistake_in(outcome.text, schema) for schema in self._schemas(example)]
        return Score(value=1) if None in mistakes else Score(value=0, why=mistakes[0] or "")

    def _schemas(self, example: Example) -> list[Schema]:
        if self.json_schema is not None:
            return [self.json_schema]
        answers = right_answers(self, example)
        schemas = [one for one in answers if isinstance(one, dict)]
        if len(schemas) < len(answers):
            raise lacking(self, example, "has a right answer that is no object; write a JSON schema")
        return schemas
