"""Bodies that nobody would send, near to those that somebody does."""

import json
from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

_values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def bodies(whole: Mapping[str, object]) -> st.SearchStrategy[bytes]:
    """Any bytes, any JSON, and `whole` with one place of it changed or gone."""

    def changed(draw: st.DrawFn) -> bytes:
        body = json.loads(json.dumps(whole))
        at: object = body
        while True:
            assert isinstance(at, dict | list)
            keys: Sequence[object] = sorted(at) if isinstance(at, dict) else range(len(at))
            key = draw(st.sampled_from(keys))
            inner = at[key]  # type: ignore[call-overload]
            if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
                break
            at = inner
        if draw(st.booleans()):
            at[key] = draw(_values)  # type: ignore[call-overload]
        else:
            del at[key]  # type: ignore[arg-type]
        return json.dumps(body).encode()

    return st.binary(max_size=20) | _values.map(lambda value: json.dumps(value).encode()) | st.composite(changed)()
