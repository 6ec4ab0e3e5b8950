"""JSON as it is sent."""

import json

from hypothesis import given
from hypothesis import strategies as st

from continuo.wire.written import written

TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@given(VALUES)
def test_whatever_a_body_may_hold_can_be_sent_back(value: object) -> None:
    assert json.loads(written({"value": value})) == {"value": value}
