"""What models write can act in no report, whatever it is."""

import io
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from continuo.config.settings import Settings
from continuo.evaluation.agreement import with_people
from continuo.evaluation.examples import Score
from continuo.evaluation.golden_set import GoldenSet
from continuo.operations.batches import run_id
from continuo.starters.console.terminal import SafeConsole
from continuo.starters.evaluation import junit, markdown, page, table, words
from continuo.starters.evaluation.people import beside_people
from continuo.stores.opened import open_store
from continuo.stores.ratings import rate
from continuo.stores.runs import Runs
from tests.continuo.stores.test_ratings import rating
from tests.continuo.stores.test_runs import done
from tests.support.evaluations import evaluation

HOSTILE = (
    "<script>alert(1)</script> ]]> & \"' \x1b[31m\x00\x08\ufffe \u202e | `a` ``b`` @team ![x](http://x/y) <b> {{ 1 }}\n"
    "# no head\n| not | a row |\n</code></td></table> \\| &lt;"
)


class Tags(HTMLParser):
    """The tags of a page, and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names, self.texts = set[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.names.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


OURS = {
    "body", "code", "div", "figcaption", "figure", "h1", "h2", "head", "html", "line", "meta", "p", "rect", "small",
    "style", "svg", "table", "tbody", "td", "text", "th", "thead", "title", "tr",
}  # fmt: skip

any_text = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from([HOSTILE])


@settings(max_examples=25)
@given(st.lists(any_text, min_size=1, max_size=3))
def test_a_page_has_no_tag_but_ours_and_shows_each_text(texts: list[str]) -> None:
    tags = Tags(page.report(evaluation(texts)))
    assert tags.names <= OURS
    for text in texts:
        assert words.text(text) in tags.texts or not text


@settings(max_examples=25)
@given(st.lists(any_text, min_size=1, max_size=3))
def test_junit_is_xml_with_a_case_for_each_item_and_counts_that_agree(texts: list[str]) -> None:
    root = ElementTree.fromstring(junit.report(evaluation(texts)).encode())
    assert [suite.get("tests") for suite in root] == [str(len(texts))] * 2
    for suite in root:
        cases = suite.findall("testcase")
        assert len(cases) == len(texts)
        counts = {kind: sum(case.find(kind) is not None for case in cases) for kind in ("failure", "error")}
        assert counts == {"failure": int(suite.get("failures", 0)), "error": int(suite.get("errors", 0))}
        assert counts["error"] == 1


@settings(max_examples=25)
@given(st.lists(any_text, min_size=1, max_size=3))
def test_markdown_stays_a_table_in_which_each_text_is_text(texts: list[str]) -> None:
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown.report(evaluation(texts)))
    rows = sum(token.type == "tr_open" for token in tokens)
    assert rows == 2 + 2 * (1 + len({*texts})) + len(texts)
    inner = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in inner} <= {"text", "html_inline", "text_special"}
    assert {child.content for child in inner if child.type == "html_inline"} <= {"<code>", "</code>", "<br>"}
    assert {token.type for token in tokens if token.type.endswith("_open")} <= {
        "heading_open", "paragraph_open", "bullet_list_open", "list_item_open", "table_open", "thead_open",
        "tbody_open", "tr_open", "th_open", "td_open",
    }  # fmt: skip


@settings(max_examples=25)
@given(st.lists(any_text, min_size=1, max_size=3))
def test_a_terminal_is_shown_and_never_obeyed(texts: list[str]) -> None:
    file = io.StringIO()
    console = SafeConsole(file=file, width=120)
    for part in table.report(evaluation(texts)):
        console.print(part)
    assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", file.getvalue()) is None


def test_a_report_says_what_is_not_shown() -> None:
    many = evaluation([f"text {number}" for number in range(words.MOST + 3)])
    assert "3 more are not shown" in page.report(many)
    assert "3 more are not shown" in markdown.report(many)
    assert "and 198 more items that do not pass" in "".join(map(str, table.report(many)))


@pytest.mark.parametrize("report", [page.report, markdown.report, junit.report])
def test_every_report_says_that_answers_are_simulated(report: object) -> None:
    assert callable(report)
    assert "simulated" in report(evaluation(["a", "b"]))


async def test_every_report_tells_how_far_a_judge_agrees_with_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTINUO_DATA", str(tmp_path))
    before, known = evaluation(["a", "b", "c", "d"], ["one"]), {"kind": "judge", "pattern": "model:m", "rubric": "r"}
    [tried] = before.patterns
    scores = [{"judge": Score(value=value)} for value in (1, 0.5, 0, 0)]
    judged = [one.model_copy(update={"scores": two}) for one, two in zip(tried.answers, scores, strict=True)]
    before = before.model_copy(update={"patterns": (tried.model_copy(update={"answers": tuple(judged)}),)})
    golden = GoldenSet.model_validate({"description": "d", "items": "i", "scores": [known]})
    store = open_store(Settings(), {})
    try:
        assert await beside_people(store, golden, "acme", before) == before
        rows = [done(f"r{place}", workflow_id=run_id("acme", "b", place + 1)) for place in range(3)]
        await Runs(store, "here").keep(rows)
        await rate(store, [rating(f"r{place}", value=value) for place, value in enumerate([1, 0, 0])])
        await rate(store, [rating("r0", rater="judge m", source="judge", value=0)])
        found = await beside_people(store, golden, "acme", before)
    finally:
        await store.aclose()
    agreed = found.patterns[0].with_people["judge"]
    assert agreed == with_people([1, 0.5, 0], [1, 0, 0])
    file = io.StringIO()
    for part in table.report(found):
        SafeConsole(file=file, width=200).print(part)
    said = f"kappa {agreed.kappa:.3f}, alpha {agreed.alpha:.3f} on 3 answers"
    for report in (file.getvalue(), markdown.report(found), page.report(found), junit.report(found)):
        assert said in report
