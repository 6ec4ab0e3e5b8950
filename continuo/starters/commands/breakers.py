"""`continuo breakers`: how the providers are, and opening, closing and resetting by hand."""

import json as jsonlib
from datetime import timedelta
from typing import Annotated

from cyclopts import App, Parameter
from rich.text import Text

from continuo.config.catalog import load_catalog
from continuo.config.settings import Settings
from continuo.door.breakers import Act, act_on_breaker, breaker_states
from continuo.errors import InputError, unknown
from continuo.protection.breaker import State
from continuo.starters.console.completion import ProviderName
from continuo.starters.console.fitted import Column, FittedTable
from continuo.starters.console.terminal import out
from continuo.starters.options import timespan
from continuo.starters.store import opened

_COLOURS = {"healthy": "green", "degraded": "yellow", "down": "red"}

breakers = App(name="breakers", help="Show how the providers are; open, close and reset their breakers by hand.")


@breakers.command(name="list")
@breakers.default
async def list_breakers(*, json: Annotated[bool, Parameter(negative=())] = False) -> int:
    """List every provider with its breaker, its health and why it is so.

    Parameters
    ----------
    json
        Print them as JSON, with the last transitions.
    """
    states = await _states()
    if json:
        rows = [{**state.model_dump(mode="json"), "health": state.health} for state in states.values()]
        out.out(jsonlib.dumps(rows, indent=2))
        return 0
    columns = (
        Column("provider"),
        Column("breaker"),
        Column("health", rank=3),
        Column("failures", rank=2, number=True),
        Column("why", rank=1),
    )
    table = FittedTable(*columns, empty="no providers in the catalog")
    for state in states.values():
        table.add_row(
            state.provider, state.state, Text(state.health, _COLOURS[state.health]), str(state.failures), _why(state)
        )
    out.print(table)
    return 0


@breakers.command(name="open")
async def open_breaker(
    provider: ProviderName, *, note: str = "", length: Annotated[str | None, Parameter(name="--for")] = None
) -> int:
    """Drain a provider: what is under way ends, and new calls go elsewhere until it is closed or reset.

    Parameters
    ----------
    provider
        A provider of the catalog, or a deployment such as openai/eu.
    note
        Why, kept with the breaker.
    length
        For how long at most, such as 30m or 2h; then one call at a time probes it.
    """
    span = None if length is None else timespan("--for", length)
    if span is not None and not span:
        raise InputError(f"--for: {length} is no time; name a longer one")
    return await _send(provider, "force_open", note, span)


@breakers.command(name="close")
async def close_breaker(provider: ProviderName, *, note: str = "") -> int:
    """Let all calls to a provider, whatever fails, until it is opened or reset.

    Parameters
    ----------
    provider
        A provider of the catalog.
    note
        Why, kept with the breaker.
    """
    return await _send(provider, "force_close", note)


@breakers.command(name="reset")
async def reset_breaker(provider: ProviderName, *, note: str = "") -> int:
    """Close a breaker with nothing counted; from then on it opens and closes by itself again.

    Parameters
    ----------
    provider
        A provider of the catalog.
    note
        Why, kept with the breaker.
    """
    return await _send(provider, "reset", note)


def _why(state: State) -> str:
    """Since when it is as it is, and until when. Times are UTC."""
    if not state.transitions:
        return state.why
    until = f", until {state.until:%Y-%m-%d %H:%M:%S}" if state.until else ""
    return f"{state.transitions[-1].time:%Y-%m-%d %H:%M:%S}{until}: {state.why}"


async def _states() -> dict[str, State]:
    async with opened() as database:
        return await breaker_states(database, load_catalog(Settings().catalog).providers)


async def _send(provider: str, act: Act, note: str, length: timedelta | None = None) -> int:
    states = await _states()
    if provider not in states:
        raise unknown("provider", provider, states)
    from continuo.temporal.connect import connect

    id = await act_on_breaker(await connect(), states[provider], act, note, length)
    out.print(f"told {id}: {act}; see it with: continuo breakers")
    return 0
