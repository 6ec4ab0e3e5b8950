"""What is asked passes with placeholders in place of personal data and secrets, before anything of it is kept."""

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import NamedTuple

from continuo.authoring.library import Library
from continuo.door.request import Request
from continuo.errors import InputError
from continuo.guardrails.private import Private
from continuo.guardrails.restoring import Restoring
from continuo.jobs import Context, Job
from continuo.patterns import Step
from continuo.patterns.walk import remembers
from continuo.protection.vault_key import VaultKey, vault_key
from continuo.stores.database import StoreUnavailable
from continuo.stores.opened import open_store
from continuo.stores.vault import Values, Vault


class Withheld(NamedTuple):
    """A request and its context as they may be kept, and what their placeholders stand for."""

    request: Request
    context: Context
    private: Private


class Withholding:
    """By the guardrails of a library. It blocks, see `Library`, but for what is a coroutine."""

    def __init__(self, library: Library) -> None:
        self._library = library

    @cached_property
    def key(self) -> VaultKey:
        """Raises `InputError` for what is no key."""
        return vault_key(self._library.settings.data, self._library.environ)

    def private(
        self,
        context: Context,
        pattern: str,
        step: Step | None = None,
        values: Values | None = None,
        *,
        spread: bool = False,
    ) -> Private:
        """What is withheld of a request to this pattern, whose `step` it is; see `Private`."""
        # It takes as long to load as all the rest of a command, and most ask nothing.
        from continuo.guardrails.by_policy import recogniser

        policy = self._library.guardrails.of(context.tenant, pattern, context.key_id)
        spread = spread or (step is not None and remembers(step))
        return Private(policy, recogniser(policy), values, secret=lambda: self.key.secret, spread=spread)

    def withheld(self, request: Request, context: Context, private: Private | None = None) -> Withheld:
        """With the placeholders of `private`, if it is one of several. Raises `InputError` for what the guardrails
        reject, and for an unknown pattern."""
        if private is None:
            private = self.private(context, request.pattern_name, self._library.step(request.pattern))
        # The pattern is no input, and data is all the caller's own.
        input = private.model(request.model_copy(update={"pattern": "", "name": None, "data": request.data and {}}))
        own = {"pattern": request.pattern, "name": request.name, "id": request.id and private.pseudonym(request.id)}
        if request.data is not None:
            own["data"] = private.value(request.data)
        return Withheld(input.model_copy(update=own), _context(private, context), private)

    def again(self, job: Job) -> tuple[Job, Private]:
        """A job that was withheld before, by what the guardrails are now: nobody knows what is found in it anew."""
        private = self.private(job.context, job.context.pattern, spread=True)
        private.policy = private.policy.model_copy(update={"restore": False})
        update = {"request": private.model(job.request), "data": private.value(job.data)}
        return job.model_copy(update=update), private

    def who(self, context: Context) -> Context:
        """The same of somebody of whose request nothing is kept: who cannot be named is nobody."""
        private = self.private(context, context.pattern)
        try:
            user = context.user and private.pseudonym(context.user)
        except InputError:
            user = None
        return context.model_copy(update={"user": user})

    @asynccontextmanager
    async def vault(self) -> AsyncIterator[Vault]:
        """Opened for one look. Raises `InputError` where the store cannot be used."""
        try:
            database = open_store(self._library.settings, self._library.environ)
            try:
                yield Vault(database, self.key.cipher)
            finally:
                await database.aclose()
        except (OSError, sqlite3.Error, StoreUnavailable) as error:
            raise InputError(f"what placeholders stand for cannot be kept: {error}; correct the store") from None

    async def keep(self, tenant: str, owner: str, values: Values) -> None:
        if values:
            async with self.vault() as vault:
                await vault.keep(tenant, owner, values, time.time())

    async def restoring(self, tenant: str, owner: str) -> Restoring:
        async with self.vault() as vault:
            return Restoring(await vault.values(tenant, owner))


def _context(private: Private, context: Context) -> Context:
    who = {name: getattr(context, name) for name in ("user", "session", "conversation")}
    update: dict[str, object] = {name: text and private.pseudonym(text) for name, text in who.items()}
    if context.background is not None:
        metadata = private.value(context.background.metadata)
        update["background"] = context.background.model_copy(update={"metadata": metadata})
    return context.model_copy(update=update)
