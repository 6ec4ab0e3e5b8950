"""The researcher, on the simulated provider by a script."""

import asyncio
import json
from pathlib import Path

import pytest
from desk import documents, reports
from desk.sums import calculate
from temporalio.client import WorkflowQueryFailedError
from temporalio.service import RPCError

from continuo.client.sync import Continuo
from continuo.decisions.review import Case, Decision
from continuo.temporal.connect import connect
from continuo.testing.local import Simulator
from continuo.testing.processes import until

SCRIPT = json.loads((Path(__file__).parent.parent / "script.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(reports, "FOLDER", tmp_path)
    return tmp_path


async def approved(id: str) -> None:
    """Approve as soon as it is asked, as `continuo reviews approve` does."""
    review = (await connect()).get_workflow_handle(id)

    async def asked() -> bool:
        try:
            await review.query("case")
        except (RPCError, WorkflowQueryFailedError):
            return False
        return True

    await until(asked)
    case = await review.query("case", result_type=Case)
    assert "28.5 per cent" in case.text
    await review.execute_update("decide", Decision(decision="approve", by="ann", shown=case.shown))


def test_it_searches_reads_calculates_and_writes_one_report(
    continuo_sync: Continuo, continuo_simulator: Simulator, folder: Path
) -> None:
    continuo_simulator.behave("sim-mid", **SCRIPT)
    run = continuo_sync.start("research", "How much more do rent and heating cost in 2025? Write a report.")
    asyncio.run(approved(f"{run.id}.write_report.4.1.approval"))
    assert "28.5 per cent" in run.result().text
    [report] = folder.glob("*.md")
    assert report.read_text(encoding="utf-8").startswith("# Rent and heating\n")
    results = [message.text for message in run.transcript().messages if message.role == "tool"]
    assert ("heating is charged apart" in results[3], results[4][:5]) == (True, "28.47")


def test_no_document_outside_of_the_folder_is_read() -> None:
    with pytest.raises(ValueError, match="there is no document"):
        documents.read("../continuo.toml")


def test_nothing_but_arithmetic_is_worked_out() -> None:
    assert calculate("-(2 + 3) * 1.5") == "-7.5"
    for wrong in ("__import__('os')", "2 ** 9999", "'a' * 9"):
        with pytest.raises(ValueError, match=r"is no number and none of \+ - \* /"):
            calculate(wrong)


def test_a_report_is_written_once_for_a_call_however_often_it_is_tried(folder: Path) -> None:
    for effect in ("run/write_report.4.1", "run/write_report.4.1", "run/write_report.5.1"):
        reports.write_report("Rent", "It rises.", effect)
    assert len(list(folder.glob("*.md"))) == 2
