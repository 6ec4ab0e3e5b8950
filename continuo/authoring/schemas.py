"""The JSON schemas that a pattern holds."""

from continuo.errors import InputError
from continuo.patterns import Agent, Step
from continuo.patterns.walk import specs


def check_schemas(step: Step) -> None:
    """Raise `InputError` for a schema, of an agent's tool or output, that is none."""
    for spec in specs(step):
        if not isinstance(spec, Agent):
            continue
        # Not above: most patterns have none, and it takes long to load.
        from continuo.decisions.json_schema import mistake_of

        schemas = {f"tool {name!r}: parameters": tool.takes for name, tool in spec.tools.items()}
        for what, schema in {**schemas, "output": spec.output or {}}.items():
            if (mistake := mistake_of(schema)) is not None:
                raise InputError(f"{what} is no JSON schema: {mistake}; correct it")
