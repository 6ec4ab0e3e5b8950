"""Telling an address something in an activity, which is tried again until it is taken."""

import random
from collections.abc import Mapping
from datetime import timedelta

import httpx
import structlog
from temporalio import activity
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from continuo.activities.posting import SECONDS, NotTaken, Posting
from continuo.config.settings import Settings
from continuo.decisions.backoff import delay
from continuo.operations.webhooks import Delivery
from continuo.patterns import Retry
from continuo.temporal.activity_options import HEARTBEAT_TIMEOUT, Options

log = structlog.get_logger()

LONGEST_PAUSE = 3600.0
"""Seconds between two tries at most."""

OPTIONS = Options(
    start_to_close_timeout=timedelta(seconds=2 * SECONDS),
    heartbeat_timeout=HEARTBEAT_TIMEOUT,
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=5), maximum_interval=timedelta(seconds=LONGEST_PAUSE)),
)
"""How an activity is run that posts. An attempt says itself when the next one is due, unless its worker died."""


class Poster:
    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._posting = Posting(environ, private=settings.webhook_private)
        self._retry = Retry(initial=settings.webhook_pause, factor=2, maximum=LONGEST_PAUSE)

    async def deliver(self, url: str, body: str, *, id: str, type: str, tenant: str | None = None) -> Delivery:
        """Post the JSON of an event, signed where its `tenant` is given. Where it is neither taken nor unwanted it
        fails, for its activity to be tried again after a longer pause each time."""
        try:
            if tenant is None:
                status = await self._posting.post(url, body, {"content-type": "application/json"})
            else:
                status = await self._posting.signed(url, body, tenant, id)
        except NotTaken as error:
            raise self._again(str(error)) from error
        if status != httpx.codes.GONE and not httpx.codes.is_success(status):
            raise self._again(f"it answers {status}")
        log.info("webhook delivered", event_id=id, type=type, status=status)
        return Delivery(status=status)

    def _again(self, why: str) -> ApplicationError:
        attempt = activity.info().attempt
        log.warning("webhook not delivered", error=why, attempt=attempt)
        pause = delay(self._retry, attempt, None, random.random())
        return ApplicationError(why, type="NotTaken", next_retry_delay=timedelta(seconds=pause))
