"""Functions of one's own code, as patterns name them: found, and their input checked."""

import inspect
import json
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any, NotRequired, get_type_hints

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from typing_extensions import TypedDict

from continuo.authoring.filled import KEYS, LATE, filled
from continuo.config.code import own_function
from continuo.data import Data
from continuo.errors import InputError, unknown
from continuo.patterns import PLACEHOLDER, Agent, AgentTool, Cascade, Python, Step
from continuo.patterns.walk import given, replaced


@dataclass(frozen=True)
class Function:
    """A function that a pattern calls: its `fields` by name, and whether it takes them as `one` model."""

    name: str
    call: Callable[..., Any]
    fields: Set[str]
    one: bool
    adapter: TypeAdapter[Any]

    def arguments(
        self, step: Python, values: Mapping[str, JsonValue], late: Set[str] = frozenset()
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """What `step` calls the function with, given the `values` of placeholders; none if one that is `late` is wrong.

        Raises `InputError` naming the field that is missing, wrong or unknown.
        """
        templates = step.input or {name: f"{{{name}}}" for name in values if name in self.fields}
        for field in templates:
            if field not in self.fields:
                raise self._wrong(f"input: {unknown('field', field, self.fields)}")
        try:
            taken = {field: filled(field, template, values) for field, template in templates.items()}
        except InputError as error:
            raise self._wrong(str(error)) from None
        waiting = {field for field, template in templates.items() if late & {*PLACEHOLDER.findall(template)}}
        try:
            value = self.adapter.validate_json(json.dumps(taken))
        except ValidationError as error:
            for one in error.errors():
                if one["type"] == "missing" and len(one["loc"]) == 1:
                    where = "add it to the data, or to the step's `input`"
                    raise self._wrong(f"its field {one['loc'][0]!r} is missing; {where}") from None
                if not one["loc"] or one["loc"][0] not in waiting:
                    where = ".".join(map(str, one["loc"])) or "the input"
                    raise self._wrong(f"{where}: {one['msg'].removeprefix('Value error, ')}") from None
            return (), {}
        return ((value,), {}) if self.one else ((), value)

    @property
    def schema(self) -> dict[str, JsonValue]:
        """The JSON schema of the input, without what no caller gives."""
        schema = self.adapter.json_schema(by_alias=True)
        properties = {name: one for name, one in schema.get("properties", {}).items() if name not in KEYS}
        required = [name for name in schema.get("required", []) if name not in KEYS]
        return {**schema, "properties": properties, "required": required, "additionalProperties": False}

    def _wrong(self, message: str) -> InputError:
        return InputError(f"function {self.name!r}: {message}")


class Functions:
    """The functions of `modules`, and of the modules inside these: no pattern can call any other."""

    def __init__(self, modules: Iterable[str]) -> None:
        self._modules = tuple(modules)
        self._known: dict[str, Function] = {}

    def named(self, name: str) -> Function:
        """The function `package.module:name`, imported. Raises `InputError` for one that cannot be called so."""
        if name not in self._known:
            self._known[name] = _function(name, own_function(name, self._modules))
        return self._known[name]


def check_functions(step: Step, functions: Functions, data: Mapping[str, JsonValue], late: Set[str] = LATE) -> None:
    """Raise `InputError` for a function in `step` that is not there, or that cannot take what it is given of `data`."""
    if isinstance(step, Python):
        functions.named(step.function).arguments(step, {**data, **dict.fromkeys(late, "")}, late)
    for name, inner in step.nested().items():
        if (written := step.written(name)) is not None:
            # What a model writes is checked when it is there.
            check_functions(inner, functions, {}, written)
            continue
        judges = isinstance(step, Cascade) and inner is step.judge
        check_functions(inner, functions, data, late | {"question", "answer"} if judges else late)


def with_schemas(step: Step, functions: Functions) -> Step:
    """`step`, of whose tools each that calls a function and does not say what it takes and is for takes that from the
    function. Raises `InputError` for one whose arguments nobody knows."""

    if not any(isinstance(spec, Agent) for spec, _ in given(step)):
        return step

    def filled(part: Data) -> Data:
        if not isinstance(part, AgentTool) or not isinstance(part.step, Python):
            return part
        function = functions.named(part.step.function)
        update: dict[str, object] = {} if part.description else {"description": inspect.getdoc(function.call) or ""}
        if part.parameters is None:
            if part.step.input:
                what = f"a tool gives function {function.name!r} its `input` by templates"
                raise InputError(f"{what}; write the `parameters` of the tool, a JSON schema, too")
            update["parameters"] = function.schema
        return part.model_copy(update=update)

    return replaced(step, filled)


def _function(name: str, call: Callable[..., Any]) -> Function:
    try:
        parameters, hints = inspect.signature(call).parameters, get_type_hints(call, include_extras=True)
    except Exception as error:
        raise InputError(f"function {name!r}: its types cannot be read: {error}; correct them") from None
    for parameter in parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise InputError(f"function {name!r}: parameter {parameter} has no name to be given by; give it one")
        if parameter.name not in hints:
            raise InputError(f"function {name!r}: parameter {parameter.name!r} has no type; write one, as in `x: str`")
        try:
            TypeAdapter(hints[parameter.name])
        except PydanticUserError:
            raise InputError(
                f"function {name!r}: parameter {parameter.name!r} has a type that pydantic cannot read from JSON;"
                " take texts, numbers, lists, or a pydantic model"
            ) from None
    if (
        len(parameters) == 1
        and isinstance(model := hints[next(iter(parameters))], type)
        and issubclass(model, BaseModel)
    ):
        return Function(name, call, _names(model), one=True, adapter=TypeAdapter(model))
    fields = {
        key: hints[key] if parameter.default is parameter.empty else NotRequired[hints[key]]
        for key, parameter in parameters.items()
    }
    adapter: TypeAdapter[Any] = TypeAdapter(TypedDict("Input", fields))  # type: ignore[operator]
    return Function(name, call, fields.keys(), one=False, adapter=adapter)


def _names(model: type[BaseModel]) -> Set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}
