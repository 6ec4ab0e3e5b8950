"""Steps that see the values in place of placeholders, where their patterns say so."""

import time
from functools import partial

from continuo.activities.errors import patiently
from continuo.authoring.library import Library
from continuo.door.private import Withholding
from continuo.errors import InputError, ProviderError
from continuo.guardrails.private import Private
from continuo.jobs import Job
from continuo.patterns import Http, Mcp, Python
from continuo.stores.database import Database
from continuo.stores.vault import Vault


class Revealed:
    """A `job` as its step may see it."""

    def __init__(self, job: Job, vault: Vault | None = None, private: Private | None = None) -> None:
        self.job = job
        self.has_values = private is not None
        self._vault = vault
        self._private = private

    async def withheld(self, text: str) -> str:
        """What the step answers, or fails with, as it may be kept. Raises `ProviderError` for what is rejected."""
        if self._vault is None or self._private is None:
            return text
        context = self.job.context
        try:
            text = self._private.text(text)
        except InputError as error:
            raise ProviderError("invalid_response", f"the answer holds what may not be kept: {error}") from None
        keep = partial(self._vault.keep, context.tenant, context.vault or "", self._private.values, time.time())
        await patiently("the store of what placeholders stand for", keep)
        return text


class Revealing:
    def __init__(self, library: Library, database: Database) -> None:
        self._withholding = Withholding(library)
        self._database = database

    async def of(self, job: Job) -> Revealed:
        """The job with the values, if its step is to see them. Raises `ProviderError` where they cannot be had."""
        context, step = job.context, job.step
        assert isinstance(step, Http | Python | Mcp)
        if not step.reveals or context.vault is None:
            return Revealed(job)
        try:
            vault = Vault(self._database, self._withholding.key.cipher)
            find = partial(vault.values, context.tenant, context.vault)
            values = await patiently("the store of what placeholders stand for", find)
            private = self._withholding.private(context, context.pattern, step, values)
        except InputError as error:
            raise ProviderError("invalid_request", str(error)) from None
        request = private.restored_model(job.request)
        update = {"data": private.restored_value(job.data), "request": request}
        return Revealed(job.model_copy(update=update), vault, private)
