"""From what a person names to a job that can run: every mistake is found here, before anything starts."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from continuo.catalog import Catalog, Model
from continuo.errors import InputError, unknown
from continuo.patterns import PLACEHOLDER, Cached, Call, Http, Spec, Step
from continuo.settings import unavailable
from continuo.walk import replaced, specs

MAX_INPUT_BYTES = 1_000_000
"""The server terminates a workflow with an argument over 2 MB, and each call carries the whole input."""

M = TypeVar("M", bound=BaseModel)


def resolved(step: Step, catalog: Catalog, environ: Mapping[str, str], *, simulated: bool) -> Step:
    """`step` with every alias replaced by the model that answers for it here. Raises `InputError`."""

    def resolve(spec: Spec) -> Spec:
        if isinstance(spec, Call):
            model = here(spec.model)
            return spec.model_copy(update={"model": model.id, "local": spec.local or model.local})
        if isinstance(spec, Cached) and spec.semantic is not None:
            semantic = spec.semantic.model_copy(update={"model": here(spec.semantic.model).id})
            return spec.model_copy(update={"semantic": semantic})
        return spec

    def here(name: str) -> Model:
        return catalog.resolve(name, lambda provider: unavailable(provider, environ, simulated=simulated))

    return replaced(step, resolve)


def check_services(step: Step, catalog: Catalog, environ: Mapping[str, str], data: Mapping[str, JsonValue]) -> None:
    """Raise `InputError` for a service that cannot be reached or a placeholder that the data does not fill."""
    for spec in specs(step):
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
            if name != "saga" and name not in data:
                raise InputError(f"the input has no field {name!r}, which the path {spec.path!r} needs; add it")


def check_text(field: str, text: str) -> str:
    """The text, if a model can be asked it. Raises `InputError` for an empty or an oversized one."""
    if not text.strip():
        raise InputError(f"{field} is empty; write a question")
    if (size := len(text.encode())) > MAX_INPUT_BYTES:
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
