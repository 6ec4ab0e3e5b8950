"""An evaluation as JUnit's XML: a suite for each pattern, a case for each item."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from continuo.evaluation.results import Answer, Evaluation, Item, Tried
from continuo.starters.evaluation import words


def report(evaluation: Evaluation) -> str:
    """An item without an answer is an error, and one that does not pass a failure."""
    root = Element("testsuites", {"name": words.text(evaluation.golden_set), **_counts(evaluation.patterns)})
    for tried in evaluation.patterns:
        name, time = words.text(f"{evaluation.golden_set}: {tried.pattern}"), f"{evaluation.ended:%Y-%m-%dT%H:%M:%S}"
        suite = SubElement(root, "testsuite", {"name": name, "timestamp": time, **_counts([tried])})
        properties = SubElement(suite, "properties")
        for name, estimate in tried.whole.scores.items():
            SubElement(properties, "property", name=words.text(name), value=words.mean(estimate))
        for name, agreement in tried.with_people.items():
            SubElement(
                properties, "property", name=words.text(f"{name} beside people"), value=words.agreement(agreement)
            )
        if tried.simulated:
            SubElement(properties, "property", name="simulated answers", value=f"{tried.simulated}")
        for item, answer in zip(evaluation.items, tried.answers, strict=True):
            _case(suite, evaluation, tried, item, answer)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _case(suite: Element, evaluation: Evaluation, tried: Tried, item: Item, answer: Answer) -> None:
    name, place = words.text(f"line {item.line}: {item.id}"), words.text(f"{evaluation.golden_set}.{tried.pattern}")
    case = SubElement(suite, "testcase", name=name, classname=place, time=f"{(answer.latency_ms or 0) / 1000:.3f}")
    if answer.passes(evaluation.passing):
        return
    kind = "error" if answer.failure is not None else "failure"
    what = SubElement(
        case, kind, message=words.verdict(answer) if kind == "failure" else words.answer(answer), type=kind
    )
    what.text = f"input: {words.text(item.prompt)}\nexpected: {words.expected(item)}\nanswer: {words.answer(answer)}"


def _counts(patterns: Sequence[Tried]) -> dict[str, str]:
    items = sum(tried.whole.items for tried in patterns)
    passed, errors = sum(tried.whole.passed for tried in patterns), sum(tried.whole.failed for tried in patterns)
    seconds = sum(answer.latency_ms or 0 for tried in patterns for answer in tried.answers) / 1000
    return {
        "tests": f"{items}",
        "failures": f"{items - passed - errors}",
        "errors": f"{errors}",
        "time": f"{seconds:.3f}",
    }
