"""Whether the models that would be sent a request take what it holds and demands: found before anything runs."""

from collections.abc import Iterator

from continuo.config.catalog import Catalog
from continuo.decisions.settled import settled
from continuo.errors import InputError
from continuo.messages import ModelRequest
from continuo.parameters import Tuning
from continuo.parts import MAX_MEDIA_BYTES
from continuo.patterns import Call, Step
from continuo.patterns.walk import specs


def check_media(step: Step, request: ModelRequest, catalog: Catalog) -> None:
    """Raise `InputError` where a model that transcribes is given another thing than one audio, where the media of a
    request are too large, where a model that would be given them does not take them, or where no model would be.

    Every tier of a fallback or a cascade must take them, and every branch: one that was left out in silence would make
    a pattern weaker than it says. `step` is resolved: its calls name models of the catalog.
    """
    calls = list(_given_the_request(step))
    _check_transcribing(step, calls, request, catalog)
    if not request.media:
        return
    if (size := sum(part.size for part in request.media)) > MAX_MEDIA_BYTES:
        raise InputError(
            f"the media have together {size:,} bytes, more than {MAX_MEDIA_BYTES:,}; send fewer or smaller"
        )
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


def _check_transcribing(step: Step, calls: list[Call], request: ModelRequest, catalog: Catalog) -> None:
    """Raise `InputError` for a model that transcribes and is given another thing than one audio."""
    given = [model for call in calls if (model := catalog.models[call.model]).transcribes]
    every = [
        model for spec in specs(step) if isinstance(spec, Call) and (model := catalog.models[spec.model]).transcribes
    ]
    if len(every) > len(given):
        what = "and a step of the pattern gives it a text"
        raise InputError(f"model {every[-1].id!r} transcribes audio, {what}; make it the first step, without a prompt")
    audios = sum(part.kind == "audio" for part in request.media)
    if given and audios != 1:
        how = "name one with --audio" if not audios else "send one"
        raise InputError(f"model {given[0].id!r} transcribes one audio, and the request has {audios or 'none'}; {how}")


def check_embedding(step: Step, request: ModelRequest, catalog: Catalog) -> None:
    """Raise `InputError` where embeddings are wanted of a model that answers with words, or words of one that embeds,
    or more embeddings than a model gives at once. `step` is resolved."""
    for call, effective in _requests(step, request):
        model = catalog.models[call.model]
        if model.embeds and not effective.embed:
            raise InputError(f"model {model.id!r} answers with embeddings, and words are wanted; use another model")
        if effective.embed and not model.embeds:
            raise InputError(f"model {model.id!r} does not embed; name one of the catalog with `embeds = true`")
        if effective.embed and len(effective.messages) > (most := catalog.protocol(model).embeds):
            texts = f"{len(effective.messages):,} texts"
            raise InputError(f"model {model.id!r} embeds at most {most:,} texts at once, and there are {texts}")


def check_parameters(step: Step, request: ModelRequest, catalog: Catalog) -> None:
    """Raise `InputError` where a model of the pattern does not take what the request, or its own step, demands; or
    where none takes what tunes the request.

    Where only some do not, it is left out for them: a pattern goes from one model to another, and its steps name
    aliases. `step` is resolved: its calls name models of the catalog.
    """
    calls = [(catalog.models[call.model], settled(call, effective)) for call, effective in _requests(step, request)]
    for model, effective in calls:
        if lacking := sorted(effective.demands & catalog.refused_by(model)):
            names = " and no ".join(lacking)
            raise InputError(f"model {model.id!r} of the pattern takes no {names}; leave it out, or use another model")
    if useless := sorted(refused_tuning(step, request, catalog)):
        raise InputError(f"no model of the pattern takes {' or '.join(useless)}; leave it out, or use another model")


def refused_tuning(step: Step, request: ModelRequest, catalog: Catalog) -> frozenset[Tuning]:
    """What tunes the request and is taken by no model of the pattern; `step` is resolved."""
    refused = [catalog.refused_by(catalog.models[call.model]) for call, _ in _requests(step, request)]
    return request.tuned.intersection(*refused) if refused else frozenset()


def _requests(step: Step, request: ModelRequest) -> Iterator[tuple[Call, ModelRequest]]:
    """Every call with the request that it gets, whose messages may be others."""
    if isinstance(step, Call):
        yield step, request
    for name, inner in step.nested().items():
        yield from _requests(inner, step.passed(name, request))


def _given_the_request(step: Step) -> Iterator[Call]:
    """The calls that are asked what the step is asked, and not a prompt that the pattern makes of texts."""
    if isinstance(step, Call):
        yield step
    for inner in step.given():
        yield from _given_the_request(inner)
