"""Webhooks: what became of a run, and telling it to an address of the internet."""

import random
import ssl
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property

import httpx
import structlog
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import ApplicationError

from continuo.config.settings import Settings
from continuo.decisions.backoff import delay
from continuo.door.collecting import row_of
from continuo.errors import InputError, ProviderError
from continuo.operations.jobs import ended
from continuo.operations.webhooks import Delivery, Event, Notice, event_of
from continuo.patterns import Retry
from continuo.protection.addresses import direct, numbers_of, parsed
from continuo.protection.webhooks import check_url, keys_of, secret_of, signed
from continuo.providers.limited import at_most
from continuo.stores.runs import Runs

log = structlog.get_logger()

SECONDS = 15.0
"""For all of an exchange."""

LONGEST_PAUSE = 3600.0
"""Seconds between two tries at most."""


class Webhooks:
    def __init__(self, client: Client, settings: Settings, environ: Mapping[str, str], runs: Runs) -> None:
        self._client = client
        self._private = settings.webhook_private
        self._retry = Retry(initial=settings.webhook_pause, factor=2, maximum=LONGEST_PAUSE)
        self._environ = environ
        self._runs = runs

    @activity.defn(name="webhook_event")
    async def event(self, notice: Notice) -> Event:
        """The event of the run, whose row says then that it has ended, since whoever is told may look. Fails until
        it has."""
        run = await self._client.get_workflow_handle(notice.workflow_id, run_id=notice.run_id).describe()
        if run.status == WorkflowExecutionStatus.RUNNING or run.close_time is None:
            raise ApplicationError(f"{notice.workflow_id} has not ended yet", type="NotEnded")
        row = await row_of(self._client, run)
        if row is None:
            raise ApplicationError(f"{notice.workflow_id} is not known any more", type="Forgotten", non_retryable=True)
        await self._runs.keep([row])
        return event_of(notice, ended(row), run.close_time.timestamp())

    @activity.defn(name="webhook_delivery")
    async def deliver(self, notice: Notice, event: Event) -> Delivery:
        """Tell it. Fails, to be tried again after a longer pause each time, where it is neither taken nor unwanted."""
        try:
            status = await self._posted(notice, event)
        except (InputError, ProviderError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._again(f"{type(error).__name__}: {error}") from error
        if status != httpx.codes.GONE and not httpx.codes.is_success(status):
            raise self._again(f"it answers {status}")
        log.info("webhook delivered", event_id=event.id, type=event.type, status=status)
        return Delivery(status=status)

    async def _posted(self, notice: Notice, event: Event) -> int:
        """The status of the answer, whose body is not read. No redirect is followed."""
        check_url(notice.url, private=self._private)
        secrets = [secret_of(key, notice.tenant) for key in keys_of(self._environ)]
        url = parsed(notice.url)
        headers = {"content-type": "application/json", "user-agent": "continuo-webhooks"}
        async with at_most(url.hostname or "", SECONDS):
            numbers = await numbers_of(url, private=self._private)
            request = direct(url, numbers[0])
            headers |= {**request.headers, **signed(secrets, event.id, int(time.time()), event.body)}
            async with (
                httpx.AsyncClient(trust_env=False, verify=self._certificates, timeout=SECONDS) as client,
                client.stream(
                    "POST", request.url, content=event.body, headers=headers, extensions=request.extensions
                ) as response,
            ):
                return response.status_code

    def _again(self, why: str) -> ApplicationError:
        pause = delay(self._retry, activity.info().attempt, None, random.random())
        log.warning("webhook not delivered", error=why, attempt=activity.info().attempt)
        return ApplicationError(why, type="NotTaken", next_retry_delay=timedelta(seconds=pause))

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        # Read once: they take longer than a delivery.
        return httpx.create_ssl_context()
