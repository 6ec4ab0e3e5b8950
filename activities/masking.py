"""No error of an activity carries a secret into a history, where nobody could take it out again."""

import json
import traceback
from typing import Any

from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from continuo.data import Data
from continuo.masking import Masker


class MaskedErrors(Interceptor):
    """Outermost of the interceptors, since what the others raise leaves the worker too."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Masked(next, self._masker)


class _Masked(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, masker: Masker) -> None:
        super().__init__(next)
        self._masker = masker

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except Exception as error:
            # Temporal keeps the causes and the stack traces too.
            told = "".join(traceback.format_exception(error)) + "".join(map(_written, getattr(error, "details", ())))
            if self._masker.text(told) == told:
                raise
            raise self._copy(error) from None

    def _copy(self, error: Exception) -> ApplicationError:
        if not isinstance(error, ApplicationError):
            return ApplicationError(self._masker.text(str(error)), type=type(error).__name__)
        details = [
            type(one).model_validate_json(self._masker.text(one.model_dump_json())) if isinstance(one, Data) else one
            for one in error.details
        ]
        return ApplicationError(
            self._masker.text(error.message),
            *details,
            type=error.type,
            non_retryable=error.non_retryable,
            next_retry_delay=error.next_retry_delay,
        )


def _written(detail: object) -> str:
    return detail.model_dump_json() if isinstance(detail, Data) else json.dumps(detail, default=str)
