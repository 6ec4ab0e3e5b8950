"""Named patterns: one YAML file each, checked with the file, the line and the nearest valid word."""

import re
from difflib import get_close_matches
from pathlib import Path

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from continuo import choices, patterns
from continuo.data import Data
from continuo.errors import InputError, unknown
from continuo.patterns import KINDS, Step


class NamedPattern(Data):
    """A file in `patterns/`: what it is for, and the pattern itself."""

    description: str
    pattern: Step


def find_pattern(name: str, folder: Path) -> NamedPattern:
    """The pattern of that name in `folder`, or in the YAML file that `name` is a path to. Raises `InputError`."""
    if name.endswith((".yaml", ".yml")):
        return load_pattern(Path(name))
    known = {path.stem: path for path in folder.glob("*.yaml")}
    if name not in known:
        raise unknown("pattern", name, known)
    return load_pattern(known[name])


def load_pattern(path: Path) -> NamedPattern:
    """Read one pattern file. Raises `InputError` with the file, the line, the field and the fix."""
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text; save the file as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path}:{line}: not YAML: {error.problem}") from None
    try:
        return NamedPattern.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        field, line = _place(first, node)
        raise InputError(f"{path}:{line}: {field}: {_advice(first)}") from None


def _place(error: ErrorDetails, node: yaml.Node | None) -> tuple[str, int]:
    """The field as a person would write it, and its line."""
    parts = (*error["loc"], *(["kind"] if error["type"].startswith("union_tag") else []))
    field, line = "", node.start_mark.line + 1 if node else 1
    for number, part in enumerate(parts, 1):
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line, field = node.start_mark.line + 1, f"{field}[{part}]"
        elif isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            # Pydantic's path also names the members of unions, which stand nowhere in the file.
            if found is None and (number < len(parts) or part == "[key]"):
                continue
            field = f"{field}.{part}".lstrip(".")
            if found is not None:
                line, node = found[0].start_mark.line + 1, found[1]
    return field or "the file", line


def _advice(error: ErrorDetails) -> str:
    if error["type"] == "union_tag_invalid":
        return str(unknown("kind", str(error["ctx"]["tag"]), re.findall(r"'(\w+)'", error["ctx"]["expected_tags"])))
    if error["type"] == "union_tag_not_found":
        return f"missing; one of {', '.join(kind.model_fields['kind'].default for kind in KINDS)}"
    if error["type"] == "missing":
        return "missing; add it"
    if error["type"] == "extra_forbidden":
        near = get_close_matches(str(error["loc"][-1]), _fields(), n=1)
        return f"no such field{f'; did you mean {near[0]!r}?' if near else ''}"
    return error["msg"].removeprefix("Value error, ")


def _fields() -> list[str]:
    parts = [kind for kind in Data.__subclasses__() if kind.__module__ in (patterns.__name__, choices.__name__)]
    kinds: list[type[Data]] = [NamedPattern, *KINDS, *parts]
    return [name for kind in kinds for name in kind.model_fields]
