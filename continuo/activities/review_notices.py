"""Telling people that a review waits for them."""

from collections.abc import Mapping
from urllib.parse import urlencode

from temporalio import activity

from continuo.activities.poster import Poster
from continuo.config.settings import Settings
from continuo.operations.review_notices import ReviewNotice
from continuo.operations.webhooks import Delivery
from continuo.protection.review_links import PATH, token_of
from continuo.protection.webhooks import keys_of


class ReviewNotices:
    """Messages have links where `gateway_url` says which gateway people reach."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], poster: Poster) -> None:
        self._gateway = settings.gateway_url
        self._environ = environ
        self._poster = poster

    @activity.defn(name="review_notice")
    async def tell(self, notice: ReviewNotice) -> Delivery:
        """Tell one address. Fails, to be tried again, where that does not take it."""
        what = {"id": notice.id, "type": f"review.{notice.happened}"}
        links = self._links(notice)
        if notice.to.slack is not None:
            # The address is a secret: it stands in no history.
            return await self._poster.deliver(self._environ.get(notice.to.slack, ""), notice.slack(links), **what)
        return await self._poster.deliver(
            notice.to.webhook or "", notice.event(links), tenant=notice.brief.tenant, **what
        )

    def _links(self, notice: ReviewNotice) -> Mapping[str, str]:
        if self._gateway is None:
            return {}
        key, place = keys_of(self._environ)[0], f"{self._gateway.rstrip('/')}{PATH}"
        return {name: f"{place}?{urlencode({'link': token_of(link, key)})}" for name, link in notice.links().items()}
