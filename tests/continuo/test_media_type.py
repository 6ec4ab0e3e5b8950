"""What media are is seen from their bytes alone."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.decisions.media_type import part_of
from continuo.errors import InputError
from continuo.parts import MAX_MEDIA_BYTES, Audio, File, Image
from tests.support.media import SAMPLES, png, wav

SIGNATURES = [sample[:length] for sample in SAMPLES.values() for length in (4, 12, 16, 24)]


@pytest.mark.parametrize("media_type", SAMPLES)
def test_every_type_that_is_taken_is_recognised_whatever_its_name(media_type: str) -> None:
    found = part_of(SAMPLES[media_type], "holiday.exe")
    assert (found.media_type, found.size, found.name) == (media_type, len(SAMPLES[media_type]), "holiday.exe")


@pytest.mark.parametrize("media_type", [name for name in SAMPLES if name.startswith("image/")])
def test_an_image_s_pixels_are_read_from_its_head(media_type: str) -> None:
    found = part_of(SAMPLES[media_type], "a")
    assert isinstance(found, Image)
    assert (found.width, found.height) == (4, 3)


def test_the_length_of_audio_is_never_less_than_it_is() -> None:
    two, boasting = part_of(wav(2), "a"), part_of(wav(1, rate=2_000_000), "a")
    assert isinstance(two, Audio)
    assert isinstance(boasting, Audio)
    assert 2 <= two.seconds < 2.1
    assert boasting.seconds > 10
    mp3 = part_of(SAMPLES["audio/mpeg"], "a")
    assert isinstance(mp3, Audio)
    assert mp3.seconds == pytest.approx(2, abs=0.01)


def test_the_pages_of_a_pdf_file_are_counted_or_taken_from_its_size() -> None:
    found, packed = part_of(SAMPLES["application/pdf"], "a"), part_of(b"%PDF-1.7\n" + b"\xff" * 12_000, "a")
    assert isinstance(found, File)
    assert isinstance(packed, File)
    assert (found.pages, packed.pages) == (3, 3)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "photo is empty; name a file with content"),
        (b"\x7fELF\xff\xfe", "photo is of a type that is not taken; images as PNG, JPEG, WebP or GIF"),
        (png()[:18], "photo begins as image/png but is cut or broken; send the whole file"),
        (b"\xff\xd8\xff\xe0\x00\x04abcd", "photo begins as image/jpeg but is cut or broken"),
        (wav()[:20], "photo begins as audio/wav but is cut or broken"),
        (b"\x89PNG\r\n\x1a\n    IHDR\xff\xff\xff\xff\0\0\0\1", "photo is more than 100,000 pixels wide or high"),
        (bytes(MAX_MEDIA_BYTES + 1), "photo has 20,000,001 bytes, more than 20,000,000; make it smaller"),
    ],
)
def test_what_no_model_is_given_is_refused_in_one_line(content: bytes, says: str) -> None:
    with pytest.raises(InputError) as caught:
        part_of(content, "photo")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.sampled_from(SIGNATURES), st.binary(max_size=100))
def test_any_bytes_are_a_part_or_refused(head: bytes, rest: bytes) -> None:
    with suppress(InputError):
        assert part_of(head + rest, "a").size == len(head + rest)
