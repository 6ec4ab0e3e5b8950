"""The activity that asks a service to do something, once, however often it is tried."""

import re

import httpx
from temporalio import activity

from continuo.activities.errors import give_up_or_retry
from continuo.activities.identity import identity
from continuo.activities.observed import tool_span
from continuo.activities.revealing import Revealed, Revealing
from continuo.activities.unexpected import reaching_out
from continuo.apart import apart
from continuo.authoring.library import Library
from continuo.decisions.segment import segment
from continuo.errors import ProviderError
from continuo.jobs import Failure, Job, Outcome
from continuo.patterns import PLACEHOLDER, Http
from continuo.providers.client import checked_key
from continuo.providers.errors import error_for_response, error_for_transport, naming
from continuo.providers.limited import ACCEPTED, MAX_ANSWER, MAX_ERROR, at_most, body


class ServiceCalls:
    """Sends a job's data to the services of the catalog. The key of a service is sent as a bearer token."""

    def __init__(self, library: Library, revealing: Revealing) -> None:
        self._library = library
        self._revealing = revealing
        self._masker = library.masker
        self._http = httpx.AsyncClient()

    @reaching_out
    @activity.defn(name="http")
    async def http(self, job: Job) -> Outcome:
        """Answer a job whose step is an `Http` request; the outcome's text is the body of the response."""
        step = job.step
        assert isinstance(step, Http)
        try:
            async with at_most(step.service, step.timeout):
                with tool_span(job, step.service):
                    text = await self._text(step, await self._revealing.of(job))
                return Outcome(text=text, served_by="service")
        except httpx.HTTPError as error:
            raise self._failed(error_for_transport(step.service, error, self._masker), job) from None
        except ProviderError as error:
            raise self._failed(error, job) from error

    async def _text(self, step: Http, revealed: Revealed) -> str:
        """The body of a successful response. Raises `ProviderError`."""
        job, name, environ = revealed.job, step.service, self._library.environ
        if (endpoint := (await self._library.catalog_with(service=name)).services.get(name)) is None:
            raise ProviderError("not_found", f"this worker's catalog has no service {name!r}")
        headers = {"Idempotency-Key": job.effect or identity(), **ACCEPTED}
        if endpoint.key_env:
            headers["Authorization"] = f"Bearer {checked_key(endpoint.key_env, environ)}"
        url = f"{endpoint.url(environ)}{path(job)}"
        sending = self._http.stream(step.method, url, json=job.data, headers=headers, timeout=step.timeout)
        async with sending as response:
            with naming(name):
                raw = await body(response, MAX_ANSWER if response.is_success else MAX_ERROR)
            text = await apart(len(raw), lambda: self._masker.text(raw.decode(errors="replace")))
            text = await revealed.withheld(text)
            if not response.is_success:
                raise error_for_response(name, response, text)
            return text

    async def aclose(self) -> None:
        await self._http.aclose()

    @staticmethod
    def _failed(error: ProviderError, job: Job) -> Exception:
        assert isinstance(job.step, Http)
        return give_up_or_retry(error, Failure(type=error.kind, message=str(error)), job.step.retry)


def path(job: Job) -> str:
    """The step's path with its placeholders filled, each escaped as one segment.

    Raises `ProviderError` for one that the data does not fill.
    """
    assert isinstance(job.step, Http)
    template, effect = job.step.path, {} if job.effect is None else {"effect": job.effect}
    values = {**job.data, "saga": job.saga, **effect}

    def filled(match: re.Match[str]) -> str:
        if (part := segment(values.get(match[1]))) is None:
            raise ProviderError("invalid_request", f"the data has no {match[1]!r}, which the path {template!r} needs")
        return part

    return PLACEHOLDER.sub(filled, template)
