"""Media are reserved as the tokens that a model reads them as, not as their bytes."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from continuo.config.catalog import Model, Price
from continuo.decisions.media_tokens import IMAGE, most_tokens, usual_tokens
from continuo.messages import Message, ModelRequest
from continuo.parts import Audio, File, Image, Media
from continuo.protection.reservation import capped, likely_tokens, most_usage, most_usd

BLOB = {"sha256": "0" * 64, "size": 1_000_000}
PRICE = Price(input=1.0, output=0.0, source="test", date=date(2026, 11, 25))
MODEL = Model(id="m", provider="p", name="m", price=PRICE)


def image(width: int, height: int) -> Image:
    return Image.model_validate({**BLOB, "media_type": "image/png", "width": width, "height": height})


def asked(*media: Media) -> ModelRequest:
    return capped(ModelRequest(messages=(Message(role="user", content=media),)))


def test_a_megabyte_of_an_image_is_some_thousand_tokens_wherever_they_are_counted() -> None:
    request = asked(image(1_000, 1_000))
    assert most_tokens(image(1_000, 1_000)) == 5_000
    assert 5_000 <= most_usd(MODEL, request) * 1e6 < 6_000
    assert most_usage(request).input_tokens == 5_000
    assert likely_tokens(request) == 5_000 + 4_096


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_an_image_is_within_what_providers_count(width: int, height: int) -> None:
    assert IMAGE[0] <= most_tokens(image(width, height)) <= IMAGE[1]


def test_audio_counts_by_seconds_and_files_by_pages_or_bytes() -> None:
    minute = Audio.model_validate({**BLOB, "media_type": "audio/mpeg", "seconds": 60.0})
    pages = File.model_validate({**BLOB, "media_type": "application/pdf", "pages": 2})
    text = File.model_validate({**BLOB, "media_type": "text/plain"})
    assert [most_tokens(one) for one in (minute, pages, text)] == [1_920, 12_000, 1_000_000]
    assert [usual_tokens(one) for one in (minute, pages, text)] == [1_920, 12_000, 250_000]
