"""`continuo explain`: a pattern as a tree, with what it takes at worst; nothing is run."""

from typing import Annotated

from cyclopts import Parameter

from continuo.authoring.library import Library
from continuo.authoring.outline import outline
from continuo.errors import InputError
from continuo.starters.console.completion import Runnable
from continuo.starters.console.drawn import check_tokens, draw
from continuo.starters.console.mermaid import flowchart
from continuo.starters.console.terminal import out


def explain(
    pattern: Runnable,
    *,
    input_tokens: int = 1000,
    output_tokens: int = 500,
    mermaid: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Draw a pattern with its models, prices and numbers, and say what it takes at worst.

    Parameters
    ----------
    pattern
        A named pattern, a YAML file, or model:ID.
    input_tokens
        How much each call is taken to read.
    output_tokens
        How much each call is taken to write, unless its step allows less.
    mermaid
        Print a Mermaid flowchart.
    json
        Print the tree as JSON.
    """
    check_tokens(input_tokens, output_tokens)
    if mermaid and json:
        raise InputError("give either --mermaid or --json")
    library = Library()
    node = outline(
        library.step(pattern), pattern, library.catalog, input_tokens=input_tokens, output_tokens=output_tokens
    )
    if mermaid:
        out.out(flowchart(node))
    elif json:
        out.out(node.model_dump_json(indent=2))
    else:
        draw(out, node, input_tokens, output_tokens)
    return 0
