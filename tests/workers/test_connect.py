"""What the environment says of the Temporal cluster."""

import pytest

from continuo.temporal.connect import connection


def test_an_empty_variable_is_none_that_is_set(environ: pytest.MonkeyPatch) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
        before = connection()
        patch.setenv("TEMPORAL_API_KEY", "")
        assert connection() == before
        patch.setenv("TEMPORAL_API_KEY", "sk-temporal")
        assert connection() != before
