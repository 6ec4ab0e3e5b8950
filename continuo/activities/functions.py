"""The activity that calls a function of the user's own code."""

import asyncio
import inspect
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Any

import structlog
from pydantic_core import to_json
from temporalio import activity

from continuo.activities.errors import give_up_or_retry
from continuo.activities.observed import tool_span
from continuo.activities.revealing import Revealed, Revealing
from continuo.activities.unexpected import reaching_out
from continuo.authoring.functions import Function, Functions
from continuo.decisions.confidence import confidence_in
from continuo.errors import InputError, ProviderError
from continuo.jobs import Failure, Job, Outcome
from continuo.patterns import Python
from continuo.protection.masking import Masker
from continuo.temporal.failures import MAX_MESSAGE

log = structlog.get_logger()

MAX_RESULT = 1_000_000
"""Bytes of a result as JSON: as many as a prompt, which it may become, may have."""

FINAL = (ValueError, TypeError, LookupError, AttributeError, NameError, ArithmeticError, AssertionError, SystemExit)
"""What a function raises that it would raise again: the input is wrong, or the function is."""


class FunctionCalls:
    """Calls functions; one that is not async has a thread of its own."""

    def __init__(self, functions: Functions, masker: Masker, revealing: Revealing) -> None:
        self._functions = functions
        self._masker = masker
        self._revealing = revealing

    @reaching_out
    @activity.defn(name="python")
    async def python(self, job: Job) -> Outcome:
        """Answer a job whose step is a `Python` call; the outcome's text is the result."""
        step = job.step
        assert isinstance(step, Python)
        revealed = Revealed(job)
        try:
            revealed = await self._revealing.of(job)
            with tool_span(job, step.function):
                return await self._called(step, revealed)
        except ProviderError as error:
            message = await revealed.withheld(self._masker.text(str(error)))
            raise give_up_or_retry(error, Failure(type=error.kind, message=message), step.retry) from None

    async def _called(self, step: Python, revealed: Revealed) -> Outcome:
        """Raises `ProviderError`."""
        try:
            function = await asyncio.to_thread(self._functions.named, step.function)
            positional, named = function.arguments(step, revealed.job.values)
        except InputError as error:
            raise ProviderError("invalid_request", str(error)) from None
        call = partial(function.call, *positional, **named)
        result = await _returned(function, step.timeout, call, quiet=revealed.has_values)
        text = await revealed.withheld(self._masker.text(_text(function.name, result)))
        return Outcome(text=text, served_by="function", confidence=confidence_in(text))


async def _returned(function: Function, seconds: float, call: Callable[[], Any], *, quiet: bool) -> Any:
    """What the call gives. Raises `ProviderError` for what it raises, and after so many `seconds`.

    With `quiet` no log says what it raised.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await (call() if inspect.iscoroutinefunction(function.call) else _in_thread(call))
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
        raise ProviderError("function_failed", f"{function.name} raised CancelledError") from None
    except (Exception, SystemExit) as error:
        if limit.expired():
            raise ProviderError("timeout", f"{function.name}: no result within {seconds:g} s", retryable=True) from None
        log.warning("a function raised", function=function.name, exc_info=None if quiet else error)
        said = " ".join(str(error)[:MAX_MESSAGE].split())
        message = f"{function.name} raised {type(error).__name__}: {said}"
        raise ProviderError("function_failed", message, retryable=not isinstance(error, FINAL)) from None


async def _in_thread(call: Callable[[], Any]) -> Any:
    """What the call gives or raises. It cannot be interrupted: whoever stops waiting for it leaves it running."""
    loop, context, ended = asyncio.get_running_loop(), copy_context(), asyncio.Event()
    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(context.run(call))
        except BaseException as error:
            errors.append(error)
        with suppress(RuntimeError):  # The worker has ended meanwhile.
            loop.call_soon_threadsafe(ended.set)

    # A daemon, so that one that never ends does not keep its worker from ending.
    threading.Thread(target=run, name="function", daemon=True).start()
    try:
        await ended.wait()
    except asyncio.CancelledError:
        # What would undo it must not overtake it; a worker that stops leaves it, and it is tried elsewhere.
        if activity.is_cancelled() and not activity.is_worker_shutdown():
            await ended.wait()
        raise
    if errors:
        raise errors[0]
    return results[0]


def _text(name: str, result: Any) -> str:
    """The result as a text. Raises `ProviderError` for one that is no JSON, or too large."""
    try:
        if isinstance(result, str):
            raw = result.encode()
        else:
            raw = b"" if result is None else to_json(result, inf_nan_mode="null")
    except Exception as error:
        raise ProviderError("invalid_response", f"the result of {name} is no JSON: {error}") from None
    if len(raw) > MAX_RESULT:
        raise ProviderError(
            "invalid_response", f"the result of {name} has {len(raw):,} bytes, more than {MAX_RESULT:,}; return less"
        )
    return raw.decode()
