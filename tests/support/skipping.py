"""A Temporal server whose clock skips what nobody works in, so that days pass in a moment."""

import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from continuo.activities.admission import Admission
from continuo.activities.batches import Batches
from continuo.activities.breakers import Breakers
from continuo.activities.deployments import Deployments
from continuo.activities.provider_batches import ProviderBatches
from continuo.authoring.library import Library
from continuo.config.settings import Settings, environment
from continuo.providers.client import ModelClient
from continuo.stores.batches import BatchStore
from continuo.stores.board import Board
from continuo.stores.budgets import Budgets
from continuo.stores.journal import Journal
from continuo.stores.opened import open_store, opened_limits, opened_payloads
from continuo.stores.payloads import Payloads
from continuo.stores.provider_batches import SentBatches
from continuo.temporal.attributes import ALL
from continuo.temporal.namespace import namespace_of
from continuo.temporal.payloads import converter
from continuo.workers.registered import WORKFLOWS, activities
from continuo.workers.sandbox import runner

NAME = "temporal-test-server"


@asynccontextmanager
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """It skips while a run's `result` is waited for, and with `sleep`. It has no lists of runs, so no pool: a worker
    with all workflows, and with the activities of batches alone, also of those at a provider."""
    program = shutil.which(NAME, path=str(Path(sys.executable).parent)) or shutil.which(NAME)
    if program is None:
        pytest.skip(f"{NAME} is not installed; `make setup` installs it where there is one for this machine")
    settings, environ, library = Settings(), environment(), Library()
    started = WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=program, data_converter=converter(settings)
    )
    async with await started as env, AsyncExitStack() as resources:
        # One that is not known is refused here, and what is known cannot be asked.
        types = {key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in ALL}
        request = AddSearchAttributesRequest(namespace=env.client.namespace, search_attributes=types)
        await env.client.operator_service.add_search_attributes(request)
        database = open_store(settings, environ)
        resources.push_async_callback(database.aclose)
        limits = await resources.enter_async_context(opened_limits(settings, environ, database))
        large = await resources.enter_async_context(opened_payloads(settings, environ, database))
        models = ModelClient(library.catalog, environ, settings.knowledge, library.masker)
        resources.push_async_callback(models.aclose)
        namespace = (await namespace_of(env.client)).id
        store = BatchStore(database, namespace)
        deployments = Deployments(environ, Breakers(Board(database), env.client), simulated=True)
        admission = Admission(library, deployments, Budgets(database), limits)
        kept, sent = Batches(store), SentBatches(database, namespace)
        journal, payloads = Journal(database), Payloads(large, namespace)
        at_provider = ProviderBatches(library, models, kept, store, sent, admission, journal, payloads)
        async with Worker(
            env.client,
            task_queue="standard",
            workflows=WORKFLOWS,
            activities=activities(kept, at_provider),
            workflow_runner=runner(sandbox=False),
        ):
            yield env
