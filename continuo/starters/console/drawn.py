"""A pattern drawn as a tree, with what it takes at worst."""

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from continuo.authoring.outline import Node
from continuo.errors import InputError
from continuo.messages import MOST_TOKENS
from continuo.patterns.worst import Estimate
from continuo.starters.console.money import money
from continuo.starters.console.terminal import levels, wrapped


def check_tokens(input_tokens: int, output_tokens: int) -> None:
    """Raises `InputError` for what no call reads or writes."""
    for name, tokens in (("--input-tokens", input_tokens), ("--output-tokens", output_tokens)):
        if not 0 <= tokens <= MOST_TOKENS:
            raise InputError(f"{name} is {tokens}; give a number from 0 to {MOST_TOKENS:,}")


def draw(console: Console, node: Node, input_tokens: int, output_tokens: int) -> None:
    """Print the tree of `node`, whose figures are those of calls that read and write so many tokens."""
    tree = Tree(_label(node, node.name))
    _grow(tree, node, levels(console))
    console.print(tree)
    console.print(f"\nEach call reads {input_tokens:,} tokens and writes {output_tokens:,}, or its step's max_tokens.")
    console.print(f"At worst: {_figures(node.worst)}.")


def _grow(tree: Tree, node: Node, levels: int, prefix: str = "") -> None:
    """Add what is below `node`; what is deeper than `levels` stands on the last of them, under its whole name."""
    for below in node.below:
        name = f"{prefix}{below.name}"
        branch = tree.add(_label(below, name))
        if levels > 1:
            _grow(branch, below, levels - 1)
        else:
            _grow(tree, below, levels, f"{name}.")


def _label(node: Node, name: str) -> Text:
    parts = [f"{name}: {node.kind}", node.about, f"[{_figures(node.worst)}]" if node.below else ""]
    return wrapped("  ".join(part for part in parts if part))


def _figures(worst: Estimate) -> str:
    calls = f"{worst.calls:,} call{'' if worst.calls == 1 else 's'}"
    cost = "cost unknown" if worst.cost_usd is None else money(worst.cost_usd)
    return f"{calls}, {cost}, {_rounded(worst.seconds)}"


def _rounded(seconds: float) -> str:
    """A time to the second, or finer where it is under one."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return " ".join(f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if number)
