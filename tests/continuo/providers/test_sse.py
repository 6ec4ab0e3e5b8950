from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from continuo.providers.sse import EventData

STREAM = 'event: a\ndata: {"text": "é\u2028"}\r\n\r\n: a comment\ndata:2\n\ndata: [DONE]\n\ndata: {"cut'.encode()


@given(st.lists(st.integers(min_value=0, max_value=len(STREAM))), st.sampled_from([b"\n", b"\r", b"\r\n"]))
def test_the_data_is_the_same_in_whatever_pieces_and_with_whatever_ends_of_lines_it_comes(
    cuts: list[int], end_of_line: bytes
) -> None:
    events, stream = EventData(), STREAM.replace(b"\n", end_of_line)
    edges = [0, *sorted(cuts), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(edges)]
    found = [data for piece in pieces for data in events.feed(piece)]
    assert found == ['{"text": "é\u2028"}'.encode(), b"2"]
