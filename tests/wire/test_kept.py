"""Media stand apart from what is kept, and come back as they were."""

from hypothesis import given
from hypothesis import strategies as st

from continuo.wire.kept import LONG, apart, named, whole

texts = st.text(max_size=3) | st.builds(
    lambda text: text * LONG, st.text(st.characters(codec="utf-8"), min_size=1, max_size=3)
)
names = st.sampled_from(["image_url", "url", "data", "text", "sha256"])
values = st.recursive(
    st.none() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
)


@given(values)
def test_whatever_is_taken_apart_is_whole_again(value: object) -> None:
    media: dict[str, bytes] = {}
    kept = apart(value, media)
    assert set(media) <= set(named(kept))
    assert whole(kept, media) == value


def test_a_medium_is_kept_once_and_a_short_address_stays() -> None:
    media: dict[str, bytes] = {}
    long, short = {"image_url": "x" * LONG}, {"image_url": "https://example.org"}
    kept = apart([long, long, short], media)
    assert (kept[0] == kept[1], kept[2]) == (True, short)
    assert [*media.values()] == [b"x" * LONG]
