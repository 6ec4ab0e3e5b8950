"""The commands as a person types them, in processes of their own."""

import asyncio
import json
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path
from uuid import uuid4

import pytest

from continuo.config.defaults import DEFAULTS
from continuo.testing.processes import Control, TemporalServer, until
from tests.support.commands import continuo, typed

EXAMPLES = DEFAULTS / "examples"
OWN = """
description: Reserves at a place, and undoes it.
pattern:
  kind: saga
  steps:
    - name: reserve
      do: {kind: http, service: inventory, method: PUT, path: "/reservations/{place}"}
      undo: {kind: http, service: inventory, method: DELETE, path: "/reservations/{place}"}
"""
GOOD_ORDER = (EXAMPLES / "order.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "suport", "hi"], "unknown pattern 'suport'; did you mean 'support'?"),
        (["run", "model:gpt-6-lunar", "hi"], "unknown model 'gpt-6-lunar'; did you mean 'gpt-6-luna'?"),
        (["run", "model:gpt-6-luna", "hi"], "set OPENAI_API_KEY in the environment"),
        (["run", "support", "hi", "--priority", "urgent"], "--priority"),
        (["run", "support", "hi", "--deadline", "soon"], "deadline: 'soon' is not a duration"),
        (["run", "support", "hi", "--deadline=-5s"], "deadline: '-5s' is not a duration"),
        (["run", "support", "hi", "--tenant", ""], "tenant: "),
        (["run", "support", "--input", "gone.txt"], "cannot read gone.txt: No such file"),
        (["run", "support", ""], "the prompt is empty"),
        (["run", "support"], "give either a prompt"),
        (["run", "support", "hi", "--input", "x"], "give either a prompt"),
        (["run", "support", "--input", "-"], "--input - is empty"),
        (["run", "broken.yaml", "hi"], "broken.yaml:3: pattern.model: missing; add it"),
        (["run", "misspelt.yaml", "hi"], "misspelt.yaml:4: unknown model 'premum'; did you mean 'premium'?"),
        (["run", "support", "-5 is what?"], 'stands last, after --: continuo run support -- "-5 is what?"'),
        (["run", "support", "-x"], "Unknown option: -x; a prompt that begins with - stands last, after --"),
        (["run", "support", "hi", "--system", "- be brief"], '--system="- be brief"'),
        (["run", "order", "hi"], "'order' acts on data; give it, as in: continuo run order --data FILE"),
        (["run", "support", "hi", "--tenant", "a/b"], "tenant: 'a/b' is no tenant's name"),
        (["run", "support", "hi", "--user", "u" * 100_000], "user: "),
        (["run", "support", "hi", "--session", "a\x1b"], "session: 'a\\x1b' is no name"),
        (["run", "support", "hi", "--id", "x" * 2_000], "id: "),
        (["run", "order", "--data", "placeless.yaml"], "cannot read placeless.yaml"),
        (["run", "own.yaml", "--data", "nameless.json"], "the input's field 'place' is missing"),
        (["run", "own.yaml", "--data", "-", "--input", "-"], "both -"),
        (["order", "long.json"], "id: "),
        (["run", "order", "--data", "levels.json"], "more than 50 lists and objects inside each other"),
        (["order", "vast.json"], "Out of range float values"),
        (["run", "own.yaml", "--data", "null.json"], "the input's field 'place' is no text or number"),
        (["run", "support", "--input", "/dev/zero"], "/dev/zero has more than 1,000,000 bytes; shorten it"),
        (["run", "support", "--id", "x", "--input", "-", "\udcff"], "argument 7 is not UTF-8"),
        (["explain", "deep.yaml"], "more than 200 lists and mappings inside each other"),
        (["explain", "levels.yaml"], "more than 50 steps inside each other"),
        (["explain", "support", "--input-tokens", "9" * 30], "give a number from 0 to 100,000,000"),
        (["workers", "--slots", "99999999999"], "--slots"),
        (["recommend", "--team", "9" * 30], "team: Input should be less than"),
        (["order", "half.json"], "half a character"),
        (["order", "infinite.json"], "Infinity is no number of JSON"),
        (["order", "deep.json"], "nested too deep"),
        (["order", "."], "cannot read .: Is a directory"),
        (["order", "binary.json"], "binary.json is not UTF-8"),
        (["run"], "pattern"),
        (["rum", "support"], "rum"),
        (["run", "support", "hi", "--prioritty", "batch"], "prioritty"),
        (["order", "gone.json"], "cannot read gone.json"),
        (["order", "broken.yaml"], "not JSON"),
        (["order", "list.json"], "list.json: not a JSON object"),
        (["order", "nameless.json"], "order_id is missing"),
        (["demo"], "CONTINUO_SIM_URL is not set"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_is_one_line_with_the_fix_and_exit_code_2(
    environ: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    (tmp_path / "misspelt.yaml").write_text(
        "description: x\npattern:\n  kind: call\n  model: premum\n", encoding="utf-8"
    )
    (tmp_path / "broken.yaml").write_text("description: x\n\npattern: {kind: call}\n", encoding="utf-8")
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    (tmp_path / "nameless.json").write_text("{}", encoding="utf-8")
    (tmp_path / "own.yaml").write_text(OWN, encoding="utf-8")
    (tmp_path / "long.json").write_text(json.dumps({"order_id": "x" * 2_000}), encoding="utf-8")
    (tmp_path / "levels.json").write_text('{"a": ' + "[" * 60 + "]" * 60 + "}", encoding="utf-8")
    (tmp_path / "vast.json").write_text('{"a": 1e999}', encoding="utf-8")
    (tmp_path / "null.json").write_text('{"place": null}', encoding="utf-8")
    (tmp_path / "deep.yaml").write_text("description: x\npattern: " + "[" * 10_000, encoding="utf-8")
    levels = "{kind: fallback, steps: [" * 60 + "{kind: template, text: t}" + "]}" * 60
    (tmp_path / "levels.yaml").write_text(f"description: x\npattern: {levels}\n", encoding="utf-8")
    (tmp_path / "half.json").write_text('{"order_id": "\\ud800"}', encoding="utf-8")
    (tmp_path / "infinite.json").write_text('{"order_id": Infinity}', encoding="utf-8")
    (tmp_path / "deep.json").write_text("[" * 100_000, encoding="utf-8")
    (tmp_path / "binary.json").write_bytes(b"\xff")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        # Nothing listens there: whatever is found wrong is found before anything is asked.
        patch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
        patch.delenv("CONTINUO_SIM_URL", raising=False)
        patch.delenv("CONTINUO_SIMULATED", raising=False)
        patch.setattr(sys, "stdin", TextIOWrapper(BytesIO()))
        code = typed(patch, *arguments)
    out, err = capfd.readouterr()
    assert (code, out) == (2, ""), err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert says in err


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        *[(f"CONTINUO_{name}", "", "empty; name a path, or unset it") for name in ("PATTERNS", "DATA", "CATALOG")],
        ("CONTINUO_PATTERNS", "gone", "no folder of patterns at gone; set CONTINUO_PATTERNS"),
        ("CONTINUO_STANDARD_SLOTS", "9" * 20, "less than or equal to 10000"),
        ("CONTINUO_HEARTBEAT", "inf", "less than or equal to 2"),
        ("CONTINUO_LOG_LEVEL", "loud", "'DEBUG', 'INFO'"),
        ("CONTINUO_UI_URL", "here", "should match pattern"),
        ("CONTINUO_BUILD", "of today", "a build is 1 to 128 letters, digits"),
        ("OPENAI_API_KEY_FILE", "binary", "OPENAI_API_KEY_FILE: not UTF-8"),
    ],
)
def test_wrong_settings_are_one_line_with_exit_code_2(
    environ: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, value: str, says: str
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        patch.setenv(name, value)
        code = typed(patch, "patterns")
    _, err = capfd.readouterr()
    assert (code, err.count("\n")) == (2, 1), err
    assert err.startswith(f"error: {name}") or name in err
    assert says in err


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("TEMPORAL_NAMESPACE", "nope", "no namespace 'nope' at"),
        ("TEMPORAL_PROFILE", "nope", "Temporal's configuration: Profile 'nope' not found"),
    ],
)
async def test_a_cluster_that_cannot_be_used_is_one_line(
    temporal: TemporalServer, variable: str, value: str, says: str
) -> None:
    found = await continuo("run", "support", "hi", **{variable: value})
    assert (found.code, found.err.count("\n")) == (2, 1), found.err
    assert says in found.err


@pytest.mark.parametrize(
    "moment", ["pydantic", "temporalio", "continuo.starters.app", "continuo.starters.commands.run"]
)
async def test_ctrl_c_while_the_commands_are_loaded_ends_it_without_a_word(moment: str) -> None:
    script = f"""
import os, signal, sys
# What a shell has started behind the scenes ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
class Interrupt:
    def find_spec(self, name, path, target=None):
        if name == {moment!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
sys.argv = ["continuo", "run", "support", "hi"]
from continuo.__main__ import main
main()
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert await process.communicate() == (b"", b"")
    assert process.returncode == 130


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["dev", "--help"], []])
async def test_help_is_told_with_exit_code_0(environ: pytest.MonkeyPatch, arguments: list[str]) -> None:
    found = await continuo(*arguments)
    assert (found.code, found.err) == (0, "")
    assert "Usage: continuo" in found.out


async def test_without_a_server_the_error_says_how_to_start_one(environ: pytest.MonkeyPatch) -> None:
    found = await continuo("run", "support", "hi", TEMPORAL_ADDRESS="127.0.0.1:1")
    assert found.code == 2
    assert "no Temporal server at 127.0.0.1:1; start one with `continuo dev`" in found.err


@pytest.mark.usefixtures("worker")
async def test_a_question_from_a_file_is_answered_on_stdout(simulator: Control) -> None:
    found = await continuo("run", "support", "--input", str(EXAMPLES / "question.txt"))
    assert found.code == 0
    assert found.out.startswith("[simulated sim-premium]")
    assert "sim-premium" in found.err
    assert "/workflows/support-" in found.err


@pytest.mark.usefixtures("worker")
async def test_json_is_the_outcome_alone_and_absent_fields_are_left_out(simulator: Control) -> None:
    found = await continuo("run", "model:sim-mid", "--input", "-", "--json", stdin="Hello?")
    outcome = json.loads(found.out)
    assert (found.code, found.err) == (0, "")
    assert (outcome["model"], outcome["simulated"], len(outcome["calls"])) == ("sim-mid", True, 1)
    assert not {"confidence", "tier", "fallback", "reasons", "checkpoints"} & outcome.keys()


@pytest.mark.usefixtures("worker")
async def test_an_answer_that_is_streamed_is_printed_once_and_the_steps_beside_it(simulator: Control) -> None:
    look = {"text": "I look.", "calls": [{"name": "look_up", "arguments": {"input": "parcels"}}]}
    await simulator.behave("sim-mid", script=[look, {"text": "Within 30 days."}])
    found = await continuo("run", "help-desk", "How do I return a parcel?", "--stream")
    assert (found.code, found.out) == (0, "I look.\n\nWithin 30 days.\n")
    assert "look_up.1.1" in found.err


@pytest.mark.usefixtures("worker")
async def test_a_failure_is_told_with_its_type_and_exit_code_1(simulator: Control) -> None:
    await simulator.behave("sim-mid", status=400, error_message="nonsense")
    found = await continuo("run", "model:sim-mid", "Hello?", "--json")
    assert found.code == 1
    failure = json.loads(found.out)
    assert (failure["type"], failure["message"]) == (
        "invalid_request",
        "sim-openai: 400 nonsense",
    )
    assert failure["calls"][0]["status"] == "failed"


@pytest.mark.usefixtures("worker")
async def test_a_detached_run_goes_on_without_its_starter(simulator: Control) -> None:
    found = await continuo("run", "model:sim-mid", "Hello?", "--detach", "--json", "--system", "Be brief.")
    assert found.code == 0
    assert json.loads(found.out)["workflow_id"].startswith("model-sim-mid-")
    await until(simulator.calls)
    [call] = await simulator.calls()
    assert call["body"]["messages"][0] == {"role": "system", "content": "Be brief."}


@pytest.mark.usefixtures("worker", "simulator")
async def test_an_order_is_run_once_however_often_it_is_submitted(shop: Control, tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    file.write_text(json.dumps({**json.loads(GOOD_ORDER), "order_id": str(uuid4())}), encoding="utf-8")
    before = await shop.get("/totals")
    first, second = await continuo("order", str(file), "--json"), await continuo("order", str(file), "--json")
    assert (first.code, second.code) == (0, 0)
    assert json.loads(first.out)["run_id"] == json.loads(second.out)["run_id"]
    assert "completed before" in second.err
    after = await shop.get("/totals")
    assert after["charged_cents"] - before["charged_cents"] == 7400


@pytest.mark.usefixtures("worker", "simulator")
async def test_two_tenants_with_the_same_order_id_have_a_run_each(shop: Control, tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    id = f"b-{uuid4()}"
    file.write_text(json.dumps({**json.loads(GOOD_ORDER), "order_id": id}), encoding="utf-8")
    runs = [await continuo("order", str(file), "--json", "--tenant", tenant) for tenant in ("acme", "globex")]
    assert [run.code for run in runs] == [0, 0]
    outcomes = [json.loads(run.out) for run in runs]
    assert [one["workflow_id"] for one in outcomes] == [f"order/acme/{id}", f"order/globex/{id}"]
    assert outcomes[0]["text"] != outcomes[1]["text"]


@pytest.mark.usefixtures("worker", "simulator")
async def test_a_saga_of_ones_own_runs_on_data_from_a_file_or_standard_input_and_once_under_an_id(
    shop: Control, tmp_path: Path
) -> None:
    pattern, file = tmp_path / "own.yaml", tmp_path / "data.json"
    pattern.write_text(OWN, encoding="utf-8")
    data = json.dumps({**json.loads(GOOD_ORDER), "place": str(uuid4())})
    file.write_text(data, encoding="utf-8")
    id = ("--id", str(uuid4()), "--json")
    first = await continuo("run", str(pattern), "--data", str(file), *id)
    again = await continuo("run", str(pattern), "--data", "-", *id, stdin=data)
    assert (first.code, again.code) == (0, 0), (first, again)
    assert json.loads(first.out)["run_id"] == json.loads(again.out)["run_id"]
    fresh = await continuo("run", str(pattern), "--data", str(file), "--json", "--deadline", "30")
    assert json.loads(fresh.out)["run_id"] != json.loads(first.out)["run_id"]


@pytest.mark.usefixtures("worker", "simulator")
async def test_an_order_that_failed_may_be_submitted_again(shop: Control, tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    data = {**json.loads(GOOD_ORDER), "order_id": str(uuid4())}
    file.write_text(json.dumps({**data, "card": "declined"}), encoding="utf-8")
    assert (await continuo("order", str(file), "--json")).code == 1
    file.write_text(json.dumps(data), encoding="utf-8")
    assert (await continuo("order", str(file), "--json")).code == 0


async def test_patterns_are_listed_with_the_models_they_use_here(environ: pytest.MonkeyPatch) -> None:
    found = await continuo("patterns")
    assert found.code == 0
    assert "support" in found.out
    assert "sim-premium, sim-mid" in found.out


async def test_a_pattern_that_is_wrong_is_named_and_the_others_are_listed(
    environ: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "good.yaml").write_text("description: Fine.\npattern: {kind: call, model: premium}\n", encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("description: Bad.\npattern: {kind: cal}\n", encoding="utf-8")
    found = await continuo("patterns", CONTINUO_PATTERNS=str(tmp_path))
    assert found.code == 2
    assert "good" in found.out
    assert "bad.yaml:2: pattern.kind: unknown kind 'cal'; did you mean 'call'?" in found.err


async def test_models_are_listed_with_their_prices_and_what_they_need(environ: pytest.MonkeyPatch) -> None:
    found = await continuo("models", CONTINUO_SIMULATED="0")
    assert found.code == 0
    assert "set OPENAI_API_KEY in the environment" in found.out
    assert "sim-premium" in found.out


async def test_each_deployment_of_a_model_is_listed_with_its_price_its_region_and_its_breaker(
    environ: pytest.MonkeyPatch,
) -> None:
    found = await continuo("models", COLUMNS="200")
    [dear] = [line for line in found.out.splitlines() if "sim-openai/list-price" in line]
    [cheap] = [line for line in found.out.splitlines() if "sim-openai/discount (nearby)" in line]
    assert "sim-cheap " in dear
    assert (" 1 " in dear, " 0.5 " in cheap) == (True, True)
    assert "sim-openai/discount" in (await continuo("breakers", "--json")).out


@pytest.mark.parametrize("wrong", ["[providers", "models = 3", '[models.x]\nprovider = "nobody"\n[providers]'])
async def test_a_catalog_that_is_wrong_is_named(environ: pytest.MonkeyPatch, tmp_path: Path, wrong: str) -> None:
    (tmp_path / "catalog.toml").write_text(wrong, encoding="utf-8")
    found = await continuo("models", CONTINUO_CATALOG=str(tmp_path / "catalog.toml"))
    assert found.code == 2
    assert found.err.startswith(f"error: {tmp_path}")
    assert found.err.count("\n") == 1
