"""From what a person names to a job that can run: every mistake is found here, before anything starts."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from continuo.authoring.guards import with_blocked_file
from continuo.config.catalog import Catalog, Model
from continuo.config.settings import unavailable
from continuo.data import Data
from continuo.decisions.segment import segment
from continuo.errors import InputError, unknown
from continuo.jobs import Job
from continuo.patterns import PLACEHOLDER, Auto, Call, Checks, Http, Review, Split, Step
from continuo.patterns.review import Escalation, Notify
from continuo.patterns.walk import given, models_in, replaced, specs

MAX_INPUT_BYTES = 1_000_000
"""Of a prompt, or of data: each call carries the whole input."""

MAX_JOB_BYTES = 2_000_000
"""Of a job as JSON: the server refuses an argument of 2 MiB."""

MAX_LEVELS = 50
"""Steps inside each other, and lists and objects of data. A worker reads 200 levels of JSON, and a step takes 3."""

MAX_STEPS = 10_000

MAX_PATH_BYTES = 400
"""Of the names above a step: with the id of its run they are the id of a workflow, which may have 1,000."""

Groups = Mapping[str, tuple[str, ...]]
"""Reviewers, by the name of their group."""

NO_GROUPS: Groups = {}

M = TypeVar("M", bound=BaseModel)


def resolved(
    step: Step,
    catalog: Catalog,
    environ: Mapping[str, str],
    *,
    simulated: bool,
    groups: Groups = NO_GROUPS,
    notify: Mapping[str, Notify] | None = None,
) -> Step:
    """`step` with every alias replaced by the model that answers for it here, every group by its reviewers, who
    are told where `notify` says unless the review itself does, and every file of blocked words by these.

    Raises `InputError` for that, and for a pattern that is too large to run.
    """
    check_extent(step)
    check_adaptive(step)

    def resolve(part: Data) -> Data:
        if isinstance(part, Checks):
            return with_blocked_file(part)
        models = {field: here(name) for field, name in models_in(part).items()}
        update: dict[str, object] = {field: model.id for field, model in models.items()}
        if isinstance(part, Call):
            update["local"] = part.local or models["model"].local
            if part.model in catalog.models and part.model != models["model"].id:
                update["replaces"] = part.model
            check_continues(part, models["model"], catalog)
        if isinstance(part, Auto):
            update["models"] = tuple(here(name).id for name in part.models)
        if isinstance(part, Review | Escalation) and part.group is not None:
            if part.group not in groups:
                raise unknown("group", part.group, groups)
            where = part.notify or (notify or {}).get(part.group)
            update |= {"group": None, "reviewers": groups[part.group], "notify": where}
        return part.model_copy(update=update) if update else part

    def here(name: str) -> Model:
        return catalog.resolve(name, lambda provider: unavailable(provider, environ, simulated=simulated))

    return replaced(step, resolve)


def check_continues(call: Call, model: Model, catalog: Catalog) -> None:
    """Raise `InputError` where `model`, or a cheaper one, cannot go on with an answer as the call wants."""
    seen: set[str] = set()
    while call.on_break == "continue" and model.id not in seen:
        if model.continues is None:
            what = f"on_break is 'continue', and model {model.id!r} does not go on with an answer that broke off"
            raise InputError(f"{what}; say how it `continues` in the catalog, use another model, or leave on_break out")
        seen.add(model.id)
        model = catalog.current(model.cheaper or model.id)


def check_extent(step: Step) -> None:
    """Raise `InputError` for a pattern of more steps, deeper or with longer names than can run."""
    waiting, steps = [(step, 1, 0)], 0
    while waiting:
        here, level, path = waiting.pop()
        steps += 1
        if level > MAX_LEVELS:
            raise InputError(f"the pattern has more than {MAX_LEVELS} steps inside each other; take out the inner ones")
        if steps > MAX_STEPS:
            raise InputError(f"the pattern has more than {MAX_STEPS:,} steps; split it")
        if path > MAX_PATH_BYTES:
            raise InputError(f"the names of steps inside each other have over {MAX_PATH_BYTES} bytes; shorten them")
        waiting += [(inner, level + 1, path + 1 + len(name.encode())) for name, inner in here.nested().items()]


def check_adaptive(step: Step) -> None:
    """Raise `InputError` for an adaptive split inside another pattern: it learns from what becomes of whole runs."""
    for spec in specs(step):
        if spec is not step and isinstance(spec, Split) and spec.adaptive is not None:
            what = f"adaptive: this split stands inside a {step.kind}, and learns from what becomes of whole runs"
            raise InputError(f"{what}; make it a pattern of its own, asked by its name, or leave adaptive out here")


def check_services(step: Step, catalog: Catalog, environ: Mapping[str, str], data: Mapping[str, JsonValue]) -> None:
    """Raise `InputError` for a service that cannot be reached or a placeholder that the data does not fill."""
    for spec, written in given(step):
        if not isinstance(spec, Http):
            continue
        if spec.service not in catalog.services:
            raise unknown("service", spec.service, catalog.services)
        endpoint = catalog.services[spec.service]
        if endpoint.url(environ) is None:
            raise InputError(f"service {spec.service!r} has no address; set {endpoint.base_url_env}")
        if endpoint.key_env and not environ.get(endpoint.key_env):
            raise InputError(f"service {spec.service!r} needs a key; set {endpoint.key_env} in the environment")
        for name in PLACEHOLDER.findall(spec.path):
            if name not in ("saga", "effect", *(written or ())) and segment(data.get(name)) is None:
                what = "no text or number" if name in data else "missing"
                raise InputError(f"the input's field {name!r} is {what}, and the path {spec.path!r} needs it; add it")


def check_data(data: Mapping[str, JsonValue]) -> None:
    """Raise `InputError` for data that no worker could read."""
    waiting: list[tuple[JsonValue, int]] = [(value, 1) for value in data.values()]
    while waiting:
        value, level = waiting.pop()
        if level > MAX_LEVELS:
            raise InputError(f"the data has more than {MAX_LEVELS} lists and objects inside each other; flatten it")
        if isinstance(value, list | dict):
            waiting += [(one, level + 1) for one in (value.values() if isinstance(value, dict) else value)]


def check_size(job: Job) -> None:
    """Raise `InputError` for a job that the server would refuse, or that is no JSON."""
    try:
        size = len(job.model_dump_json().encode())
    except ValueError:
        what = "the pattern, the prompt or the data has half a character (\\ud800 to \\udfff)"
        raise InputError(f"{what}; write the whole one") from None
    if size > MAX_JOB_BYTES:
        what = "the pattern, the prompt and the data have together"
        raise InputError(f"{what} {size:,} bytes as JSON, more than {MAX_JOB_BYTES:,}; shorten them")


def check_text(field: str, text: str) -> str:
    """The text, if a model can be asked it. Raises `InputError` for an empty or an oversized one."""
    if not text.strip():
        raise InputError(f"{field} is empty; write a question")
    if (size := len(text.encode(errors="surrogatepass"))) > MAX_INPUT_BYTES:
        raise InputError(f"{field} has {size:,} bytes, more than {MAX_INPUT_BYTES:,}; shorten it")
    return text


def validated(kind: type[M], /, **fields: object) -> M:
    """An instance of `kind`. Raises `InputError` in one line that names the field."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or kind.__name__
        raise InputError(f"{field}: {first['msg'].removeprefix('Value error, ')}") from None
