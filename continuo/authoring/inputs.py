"""Whether the models that would read what is sent can: found before anything runs."""

from collections.abc import Iterable, Iterator

from continuo.config.catalog import Catalog
from continuo.errors import InputError
from continuo.messages import ModelRequest
from continuo.parts import MAX_MEDIA_BYTES
from continuo.patterns import Call, Ensemble, FanOut, Pipeline, Route, Step


def check_media(step: Step, request: ModelRequest, catalog: Catalog) -> None:
    """Raise `InputError` where the media of a request are too large, where a model that would be given them does not
    take them, or where no model would be given them.

    Every tier of a fallback or a cascade must take them, and every branch: one that was left out in silence would make
    a pattern weaker than it says. `step` is resolved: its calls name models of the catalog.
    """
    if not request.media:
        return
    if (size := sum(part.size for part in request.media)) > MAX_MEDIA_BYTES:
        raise InputError(
            f"the media have together {size:,} bytes, more than {MAX_MEDIA_BYTES:,}; send fewer or smaller"
        )
    calls = list(_given_the_request(step))
    for call in calls:
        model = catalog.models[call.model]
        if missing := sorted(request.inputs - set(model.inputs)):
            kinds = " and ".join(missing)
            raise InputError(
                f"model {model.id!r} of the pattern takes no {kinds}; use one whose `inputs` in the catalog name it"
            )
    if not calls:
        what = ", ".join(sorted(request.inputs - {"text"}))
        raise InputError(f"no model of the pattern is given the {what}, only a text made from it; send text alone")


def _given_the_request(step: Step) -> Iterator[Call]:
    """The calls that are asked what the step is asked, and not a prompt that the pattern makes of texts."""
    match step:
        case Call():
            yield step
            nested: Iterable[Step] = ()
        case Pipeline():
            first = step.steps[0]
            nested = (first.step,) if first.prompt is None else ()
        case FanOut() | Route():
            nested = step.branches.values()
        case Ensemble():
            nested = (*step.members, *([step.otherwise] if step.otherwise else []))
        case _:
            nested = step.nested().values()
    for inner in nested:
        yield from _given_the_request(inner)
