"""Any way to score an answer: told apart by its `kind`."""

from typing import Annotated

from pydantic import Field

from continuo.evaluation.scores.bleu import Bleu
from continuo.evaluation.scores.chrf import Chrf
from continuo.evaluation.scores.contains import Contains
from continuo.evaluation.scores.exact import Exact
from continuo.evaluation.scores.json_schema import JsonSchema
from continuo.evaluation.scores.judge import Judge
from continuo.evaluation.scores.normalised import Normalised
from continuo.evaluation.scores.number import Number
from continuo.evaluation.scores.preference import Preference
from continuo.evaluation.scores.python import Python
from continuo.evaluation.scores.regex import Regex
from continuo.evaluation.scores.rouge import Rouge
from continuo.evaluation.scores.similarity import Similarity
from continuo.evaluation.scores.tool_calls import ToolCalls

Scorer = Annotated[
    Exact
    | Normalised
    | Contains
    | Regex
    | JsonSchema
    | Number
    | Bleu
    | Chrf
    | Rouge
    | Similarity
    | Judge
    | Preference
    | ToolCalls
    | Python,
    Field(discriminator="kind"),
]
