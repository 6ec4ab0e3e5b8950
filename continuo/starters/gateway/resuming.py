"""`X-Continuo-Resume: RUN_ID:N`: a client that lost a stream goes on with it behind the N events that it has."""

import re
import time
from dataclasses import dataclass

from starlette.requests import Request

from continuo.door import PlainRun, Run
from continuo.protection.api_keys import ApiKey
from continuo.starters.gateway.choices import Choices, choice_id
from continuo.starters.gateway.state import Gateway
from continuo.stores.requests import Known
from continuo.wire.accepted import Accepted
from continuo.wire.errors import WireError

HEADER = "x-continuo-resume"

_VALUE = re.compile(r"[^:]*?([0-9a-f]{32})(?::(\d{1,9}))?")


@dataclass(frozen=True)
class Resumption:
    """The id of the request that began the run, and how many events of its stream the client has."""

    id: str
    after: int


def resumption(http: Request) -> Resumption | None:
    """What the header says; None without one. Raises `WireError`.

    The run's id is that of `x-continuo-run-id`, or of the answer itself, such as `chatcmpl-…`.
    """
    value = http.headers.get(HEADER)
    if value is None:
        return None
    match = _VALUE.fullmatch(value.strip())
    if match is None:
        message = "X-Continuo-Resume: write RUN_ID, or RUN_ID:N with the number of events that you have"
        raise WireError(400, message, code="invalid_resume")
    return Resumption(match[1], int(match[2] or 0))


async def resumed(
    gateway: Gateway, http: Request, key: ApiKey, accepted: Accepted, resume: Resumption
) -> tuple[Known, Run | PlainRun | Choices]:
    """The run that this key began by the same path, with the same model. Raises `WireError` where there is none."""
    known = await gateway.requests.find(resume.id, key.id, http.url.path)
    if known is not None:
        ids = [choice_id(known.id, number) for number in range(accepted.runs)]
        requests = [accepted.request.model_copy(update={"id": id}) for id in ids]
        runs = [run for one in requests if (run := await gateway.running.find(one, key.tenant)) is not None]
        if len(runs) == len(requests):
            joined = runs[0] if len(runs) == 1 else Choices(runs)
            if not known.goes_on:
                known = await gateway.requests.join(known, time.time())
            # What all have left is being cancelled, unless it had its answer in the same moment.
            if not (known.abandoned and await gateway.waiting.lost(known, joined.result())):
                return known, joined
    message = "X-Continuo-Resume: this key has no such run of this model; it may be too old to be gone on with"
    raise WireError(404, message, code="run_not_found")
