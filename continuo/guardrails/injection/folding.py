"""Words as a reader sees them, whatever characters they are written in."""

import unicodedata

INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff"
)
"""Characters that are not seen, as a class of an expression."""

_LOOKALIKES = str.maketrans(
    "абвгдеёзикмнорстухіјѕԁһӏԛԝьβαγεικνορτυχϲվհոսցքօ߀ıɑɡɩʟɴʀʏᴀʙᴄᴅᴇꜰɢʜᴊᴋᴍᴏᴘꜱᴛᴜᴠᴡᴢ",
    "abbrdee3nkmhopctyxijsdhlqwbbayeikvoptuxcuhnugpooiagilnryabcdefghjkmopstuvwz",
)
"""Letters of other alphabets that look like Latin ones."""

_DIGITS = str.maketrans("013456789@$", "oieasgtbgas")
"""What stands for letters in a word such as 1gn0r3."""

_MARKS = dict.fromkeys(range(768, 880))
_UNSEEN = {
    at: None
    for first, last in (part.split("-") if "-" in part else (part, part) for part in (
        "\u00ad", "\u034f", "\u061c", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u180b-\u180f", "\u200b-\u200f",
        "\u202a-\u202e", "\u2060-\u206f", "\ufe00-\ufe0f", "\ufeff", "\U000e0000-\U000e0fff",
    ))
    for at in range(ord(first), ord(last) + 1)
}  # fmt: skip


def folded(word: str) -> str:
    """The word in small plain letters: without accents and what is not seen; wide, round and slanted letters, and ones
    of another alphabet among Latin ones, as those that they look like."""
    if word.isascii():
        plain = word.lower()
    else:
        plain = unicodedata.normalize("NFKC", word.translate(_UNSEEN)).casefold()
        plain = unicodedata.normalize("NFKD", plain).translate(_MARKS)
        if not plain.isascii() and any("a" <= letter <= "z" for letter in plain):
            plain = plain.translate(_LOOKALIKES)
    return plain


def spelt(word: str) -> str:
    """A folded word whose digits stand for letters, if it has both."""
    if word.isalpha() or word.isdigit():
        return word
    return word.translate(_DIGITS)
