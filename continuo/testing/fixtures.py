"""Fixtures for the tests of your own project: name this module in `pytest_plugins`, in your topmost conftest.py.

The first test that uses one starts a Temporal server, the simulated provider and the shop as processes, and pools in
this one; they last for the session. The fixtures are not asynchronous: they work with any plugin for such tests, and
without one.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

# Whoever runs a test without these fixtures does not wait for what they load.
if TYPE_CHECKING:
    from continuo import client
    from continuo.client import sync
    from continuo.testing.local import Simulator, Stack


@pytest.fixture(scope="session")
def continuo_stack(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Stack]":
    """Servers and pools; inside, the environment names them, and no real model, cluster or store is reached."""
    from continuo.testing.local import started

    with started(tmp_path_factory.mktemp("continuo")) as stack:
        yield stack


@pytest.fixture
def continuo_simulator(continuo_stack: "Stack") -> "Simulator":
    """The simulated provider, with no script, no call and no cached answer of an earlier test."""
    continuo_stack.forget()
    return continuo_stack.simulator


@pytest.fixture
def continuo(continuo_stack: "Stack", continuo_simulator: "Simulator") -> "Iterator[client.Continuo]":
    """A connected `continuo.client.Continuo`, for tests that await."""
    with continuo_stack.connected() as client:
        yield client


@pytest.fixture
def continuo_sync(continuo_stack: "Stack", continuo: "client.Continuo") -> "sync.Continuo":
    """A connected `continuo.client.sync.Continuo`, for tests that do not."""
    return continuo_stack.sync(continuo)
