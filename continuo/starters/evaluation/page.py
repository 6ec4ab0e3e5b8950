"""An evaluation as one page of HTML that needs nothing else: everything is escaped that the template does not say."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from continuo.evaluation.results import Evaluation
from continuo.starters.evaluation import words
from continuo.starters.evaluation.bars import Bar, charts


def report(evaluation: Evaluation) -> str:
    places = evaluation.not_passed()
    return _template().render(
        evaluation=evaluation,
        words=words,
        charts=charts(evaluation),
        height=Bar.HEIGHT,
        places=places[: words.MOST],
        more=len(places[words.MOST :]),
    )


@cache
def _template() -> Template:
    return Environment(
        loader=PackageLoader("continuo.starters.evaluation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("report.html")
