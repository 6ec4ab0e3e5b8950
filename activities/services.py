"""The activity that asks a service to do something, once, however often it is tried."""

from collections.abc import Mapping
from urllib.parse import quote

import httpx
from temporalio import activity

from activities.errors import give_up_or_retry
from activities.identity import identity
from continuo.catalog import Catalog
from continuo.errors import ProviderError
from continuo.jobs import Failure, Job, Outcome
from continuo.patterns import PLACEHOLDER, Http
from continuo.providers.errors import error_for_response, error_for_transport


class ServiceCalls:
    """Sends a job's data to the services of the catalog. The key of a service is sent as a bearer token."""

    def __init__(self, catalog: Catalog, environ: Mapping[str, str]) -> None:
        self._catalog = catalog
        self._environ = environ
        self._http = httpx.AsyncClient()

    @activity.defn(name="http")
    async def http(self, job: Job) -> Outcome:
        """Answer a job whose step is an `Http` request; the outcome's text is the body of the response."""
        step = job.step
        assert isinstance(step, Http)
        endpoint = self._catalog.services[step.service]
        headers = {"Idempotency-Key": identity()}
        if endpoint.key_env:
            headers["Authorization"] = f"Bearer {self._environ[endpoint.key_env]}"
        url = f"{endpoint.url(self._environ)}{path(job)}"
        try:
            response = await self._http.request(step.method, url, json=job.data, headers=headers, timeout=step.timeout)
            if not response.is_success:
                raise error_for_response(step.service, response)
        except httpx.HTTPError as error:
            raise self._failed(error_for_transport(step.service, error), job) from error
        except ProviderError as error:
            raise self._failed(error, job) from error
        return Outcome(text=response.text, served_by="service")

    async def aclose(self) -> None:
        await self._http.aclose()

    @staticmethod
    def _failed(error: ProviderError, job: Job) -> Exception:
        assert isinstance(job.step, Http)
        return give_up_or_retry(error, Failure(type=error.kind, message=str(error)), job.step.retry)


def path(job: Job) -> str:
    """The step's path with its placeholders filled, each escaped as one segment. Raises KeyError for an unknown one."""
    assert isinstance(job.step, Http)
    values = {**job.data, "saga": job.saga}
    return PLACEHOLDER.sub(lambda match: quote(str(values[match[1]]), safe=""), job.step.path)
