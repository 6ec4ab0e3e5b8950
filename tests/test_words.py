"""Names are words of the field: what came back is a result, a response or what it is, and is never just "found"."""

import ast
from collections.abc import Iterator

from tests.support.repository import ROOT

VAGUE = {"found", "asked", "told"}


def names(tree: ast.AST) -> Iterator[str]:
    """Of variables, attributes, parameters, functions and classes."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name


def test_nothing_in_the_package_has_a_name_that_says_nothing() -> None:
    paths = (ROOT / "continuo").rglob("*.py")
    vague = {
        str(path.relative_to(ROOT)): VAGUE
        & {name.strip("_").lower() for name in names(ast.parse(path.read_text("utf-8")))}
        for path in paths
    }
    assert {path: words for path, words in vague.items() if words} == {}
