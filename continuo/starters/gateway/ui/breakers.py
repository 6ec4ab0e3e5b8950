"""How the providers are; who operates for every tenant opens, closes and resets their breakers."""

from typing import get_args

from starlette.responses import Response

from continuo.door.breakers import Act, act_on_breaker, breaker_states
from continuo.errors import InputError, unknown
from continuo.protection.breaker import State
from continuo.starters.gateway.ui.visits import Visit, page


@page()
async def list_breakers(visit: Visit) -> Response:
    return visit.show("breakers.html", states=await _states(visit), acts=get_args(Act))


@page("operator", everywhere=True)
async def act(visit: Visit) -> Response:
    states, provider = await _states(visit), visit.fields.get("provider", "")
    if provider not in states:
        raise unknown("provider", provider, states)
    act = next((one for one in get_args(Act) if one == visit.fields.get("act")), None)
    if act is None:
        raise InputError(f"act: take one of {', '.join(get_args(Act))}")
    note = f"{visit.key.name}: {visit.fields.get('note', '')}"
    await act_on_breaker(visit.gateway.door.client, states[provider], act, note)
    return visit.go("/breakers")


async def _states(visit: Visit) -> dict[str, State]:
    return await breaker_states(visit.gateway.store, visit.gateway.door.library.catalog.providers)
