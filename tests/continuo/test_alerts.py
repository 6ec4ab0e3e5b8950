"""When alerts fire and recover, and what is said of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.config.alerts import MEASURES, RATES, Alerts, Rule, load_alerts
from continuo.config.settings import Settings
from continuo.decisions.alerts import Alert, Change, Measured, Sample, evaluated
from continuo.errors import InputError
from continuo.operations.alerts import dedup_key, for_email, for_pagerduty, for_slack, of_change
from continuo.operations.events import Event

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SHIPPED = load_alerts(Settings.model_fields["alerts"].default).rules
SAMPLES = st.none() | st.dictionaries(st.sampled_from(["", "acme", "zeta"]), st.builds(Sample, st.floats(0, 200)))


def changes(
    rules: dict[str, Rule], measured: dict[str, Measured | None], known: dict[tuple[str, str], Alert], now: datetime
) -> list[Change]:
    """Those of one evaluation, of which `known` is kept."""
    result = []
    for alert, change in evaluated(rules, measured, known.copy(), now):
        known[alert.rule, alert.label] = alert
        result += [change] if change else []
    return result


def test_the_shipped_rules_have_the_thresholds_of_the_specification_and_look_after_everything() -> None:
    limits = {rule.measure: (rule.above, rule.below) for rule in SHIPPED.values()}
    assert limits["cost_today_usd"] == (100, None)
    assert limits["cache_hit_rate"] == (None, 0.2)
    assert limits["error_rate"] == (0.1, None)
    assert {*limits} == {*MEASURES}


@pytest.mark.parametrize("name", SHIPPED)
def test_each_shipped_rule_fires_once_an_incident_and_recovers(name: str) -> None:
    rule, known = SHIPPED[name], dict[tuple[str, str], Alert]()
    bad = Sample(rule.limit + (1 if rule.above is not None else -0.1), 1000)
    good = Sample(rule.limit, 1000)
    seen = [
        [(change.why, change.alert.incident) for change in changes({name: rule}, {name: {"": value}}, known, NOW)]
        for value in (good, bad, bad, good, good, bad)
    ]
    assert seen == [[], [("fired", 1)], [], [("recovered", 1)], [], [("fired", 2)]]


@given(steps=st.lists(SAMPLES, max_size=8), above=st.floats(0, 200))
def test_who_hears_of_every_change_knows_what_fires(steps: list[Measured | None], above: float) -> None:
    """Fired and recovered come in turns for each label, and say what the last value that was measured says."""
    rules = {"rule": Rule(measure="dead_letters", above=above)}
    known, heard = dict[tuple[str, str], Alert](), set[str]()
    for number, samples in enumerate(steps):
        for alert, why in changes(rules, {"rule": samples}, known, NOW + timedelta(minutes=number)):
            assert (alert.label in heard) == (why == "recovered")
            heard ^= {alert.label}
        assert heard == {alert.label for alert in known.values() if alert.firing}
        if samples is not None:
            assert heard == {label for label, sample in samples.items() if sample.value > above}


@given(measured=st.dictionaries(st.just("rule"), st.none()), firing=st.booleans())
def test_what_cannot_be_measured_stays_as_it_is(measured: dict[str, None], firing: bool) -> None:
    alert = Alert(rule="rule", label="", firing=firing, incident=1, since=NOW, value=1)
    assert [*evaluated({"rule": Rule(measure="dead_letters", above=0)}, measured, {("rule", ""): alert}, NOW)] == []


@pytest.mark.parametrize("measure", RATES)
def test_a_rate_of_few_runs_is_no_alert(measure: str) -> None:
    rules = {"rule": Rule.model_validate({"measure": measure, "above": 0.1, "least": 20})}
    assert changes(rules, {"rule": {"": Sample(1, 19)}}, {}, NOW) == []
    assert len(changes(rules, {"rule": {"": Sample(1, 20)}}, {}, NOW)) == 1


def test_an_alert_whose_rule_is_taken_out_recovers_once() -> None:
    known = {("gone", ""): Alert(rule="gone", label="", firing=True, incident=3, since=NOW, value=1)}
    [change] = changes({}, {}, known, NOW)
    assert change.why == "recovered"
    assert "taken out" in str(of_change(change, None).data["summary"])
    assert changes({}, {}, known, NOW) == []


def events() -> tuple[Event, Event]:
    """An alert and its recovery."""
    known, rule = dict[tuple[str, str], Alert](), SHIPPED["breaker-open"]
    [fired] = changes({"breaker-open": rule}, {"breaker-open": {"a<b": Sample(1)}}, known, NOW)
    [recovered] = changes({"breaker-open": rule}, {"breaker-open": {}}, known, NOW + timedelta(hours=1))
    return of_change(fired, rule), of_change(recovered, rule)


def test_each_channel_has_its_shape() -> None:
    fired, recovered = events()
    assert "a&lt;b is above 0; now it is 1" in str(for_slack(fired)["text"])
    assert "*recovered*" in str(for_slack(recovered)["text"])
    trigger, resolve = for_pagerduty(fired, "key", "/continuo"), for_pagerduty(recovered, "key", "/continuo")
    assert (trigger["event_action"], resolve["event_action"]) == ("trigger", "resolve")
    assert trigger["dedup_key"] == resolve["dedup_key"] == "continuo/alert/breaker-open/a<b/1"
    payload = trigger["payload"]
    assert isinstance(payload, dict)
    assert {*payload} >= {"summary", "source", "severity", "timestamp"}
    mails = [for_email(event, "a@example.com", ("b@example.com",)) for event in (fired, recovered)]
    assert mails[1]["In-Reply-To"] == mails[0]["Message-ID"] != mails[1]["Message-ID"]


def test_a_key_of_an_incident_is_never_too_long() -> None:
    fired, _ = events()
    assert len(dedup_key(fired.model_copy(update={"id": f"alert/{'x' * 300}/1/fired"}))) <= 255


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[rules.a]\nmeasure = 'dead_letters'", "rules.a: write one of `above` and `below`"),
        ("[rules.a]\nmeasure = 'nothing'\nabove = 1", "rules.a.measure: Input should be 'cost_today_usd'"),
        ("[rules.a]\nmeasure = 'dead_letters'\nabove = 1\nleast = 3", "least: it is that of a rate"),
        ("[channels.a]\nkind = 'slack'\nurl_env = 'https://x'", "is no variable"),
        ("[channels.a]\nkind = 'webhook'\nurl = 'https://x'\nrules = ['b']", "there is no rule 'b'"),
        (
            "[channels.a]\nkind = 'email'\nserver = 'h:25'\nfrom = 'a@b.c'\nto = ['a b@c.d']",
            "is no address of e-mail",
        ),
    ],
    ids=range(6),
)
def test_a_wrong_file_is_told_with_field_and_fix(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "alerts.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as raised:
        load_alerts(tmp_path / "alerts.toml")
    assert says in str(raised.value)
    assert str(tmp_path) in str(raised.value)


def test_a_file_may_have_no_rules() -> None:
    assert Alerts().rules == {}
