"""What a function of one's own says of an answer."""

import inspect
from collections.abc import Callable
from functools import cached_property
from typing import Any, Literal

from continuo.config.code import callable_modules, own_function
from continuo.errors import InputError
from continuo.evaluation.examples import Example, Score, one_line
from continuo.evaluation.scores.base import Metric, NoScore
from continuo.jobs import Outcome
from continuo.patterns.python import FunctionName


class Python(Metric):
    """What `function`, `package.module:name` of a module that patterns may call, returns for the outcome and the
    example: a `Score`, a number from 0 to 1, True or False."""

    kind: Literal["python"] = "python"
    function: FunctionName

    @property
    def name(self) -> str:
        return self.label or self.function

    def check(self, example: Example) -> None:
        if inspect.iscoroutinefunction(self.called):
            raise InputError(f"function {self.function!r} is async, and a score is not waited for; write it without")
        try:
            inspect.signature(self.called).bind(None, example)
        except TypeError:
            raise InputError(f"function {self.function!r} does not take two arguments, (outcome, example)") from None

    def score(self, outcome: Outcome, example: Example) -> Score:
        function = self.called
        try:
            value = function(outcome, example)
        except (Exception, SystemExit) as error:
            raise NoScore(one_line(f"{self.function} raised {type(error).__name__}: {error}")) from error
        if isinstance(value, Score):
            return value
        # Compared rather than converted: a whole number may be larger than any float.
        if not isinstance(value, int | float) or not 0 <= value <= 1:
            shown = f"{value:g}" if isinstance(value, float) else f"a value of type {type(value).__name__}"
            raise NoScore(f"{self.function} returned {shown}; return a number from 0 to 1, True, False or a Score")
        return Score(value=float(value))

    @cached_property
    def called(self) -> Callable[..., Any]:
        """The function, imported. Raises `InputError`."""
        # Reading the settings takes as long as a thousand scores.
        from continuo.config.settings import Settings

        return own_function(self.function, callable_modules(Settings().code))
