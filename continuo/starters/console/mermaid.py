"""A pattern as a Mermaid flowchart."""

import re
from collections.abc import Iterator
from itertools import count

from continuo.authoring.outline import Node


def flowchart(node: Node) -> str:
    """The tree below `node`; each arrow has the name that the step has in paths."""
    return "\n".join(["graph TD", *_lines(node, count())])


def _lines(node: Node, numbers: Iterator[int]) -> Iterator[str]:
    id = f"n{next(numbers)}"
    about = f"<br/>{escaped(node.about)}" if node.about else ""
    yield f'  {id}["{escaped(node.kind)}{about}"]'
    for below in node.below:
        # The child takes the next number.
        lines = _lines(below, numbers)
        first = next(lines)
        yield first
        yield f'  {id} -->|"{escaped(below.name)}"| {first.split("[")[0].strip()}'
        yield from lines


def escaped(text: str) -> str:
    """`text` within a quoted label: whatever might mean something to Mermaid, as the entity of its number."""
    return re.sub(r"[^\w .,:/$-]", lambda match: f"#{ord(match[0])};", text)
