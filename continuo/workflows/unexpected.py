"""What no workflow code meant to raise ends the step, and so the run; left alone, Temporal would try it for ever."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError
from temporalio.worker import (
    ExecuteWorkflowInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from continuo.jobs import Failure
from continuo.temporal.failures import failed


@contextmanager
def unexpected_as_failures() -> Iterator[None]:
    """Inside, an exception that is no failure becomes one of type `internal_error`.

    Not so what may pass: what is not deterministic waits for another release, and want of memory for another worker.
    """
    try:
        yield
    except (FailureError, workflow.NondeterminismError, MemoryError):
        raise
    except Exception as error:
        workflow.logger.error("an unexpected error", exc_info=error)
        raise failed(Failure(type="internal_error", message=f"unexpected {type(error).__name__}: {error}")) from error


class UnexpectedWorkflowErrors(Interceptor):
    """For what stands outside every step: missing arguments, signals, and the workflows that are no patterns."""

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        return _Final


class _Final(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        with unexpected_as_failures():
            return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        with unexpected_as_failures():
            await super().handle_signal(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        with unexpected_as_failures():
            return await super().handle_update_handler(input)
