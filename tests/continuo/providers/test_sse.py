from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from continuo.providers.sse import EventData

STREAM = 'event: a\ndata: {"text": "é\u2028"}\r\n\r\n: a comment\ndata:2\n\ndata: [DONE]\n\ndata: {"cut'.encode()


@given(st.lists(st.integers(min_value=0, max_value=len(STREAM))))
def test_the_data_is_the_same_in_whatever_pieces_it_comes(cuts: list[int]) -> None:
    events = EventData()
    edges = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in pairwise(edges)]
    found = [data for piece in pieces for data in events.feed(piece)]
    assert found == ['{"text": "é\u2028"}'.encode(), b"2"]
