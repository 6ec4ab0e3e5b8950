"""Retentions, as the environment gives them."""

import pytest

from continuo.config.settings import DAY, Settings
from continuo.errors import InputError


def test_a_retention_is_a_duration_and_only_the_ledger_is_kept_for_ever() -> None:
    settings = Settings(journal_retention="2d")
    kept = (settings.journal_retention, settings.payload_retention, settings.letter_retention)
    assert kept == (2 * DAY, 30 * DAY, 30 * DAY)
    assert settings.ledger_retention is None


@pytest.mark.parametrize("value", ["1h", "0d", "3651d", "-1", "inf", "nan", "for ever", ""])
def test_a_retention_that_would_lose_what_is_needed_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTINUO_LEDGER_RETENTION", value)
    with pytest.raises(InputError, match="CONTINUO_LEDGER_RETENTION="):
        Settings()
