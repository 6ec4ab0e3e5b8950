"""What a wish in words needs: by words of English, and by no model."""

import re

from continuo.authoring.recommend import REPETITION, Needs

_WORDS = {
    "accuracy": r"accura\w+|correct\w*|right|precise\w*|verif\w+|double.?check\w*|agree\w*|consensus|trustworth\w+",
    "variable_complexity": r"easy|simple|hard|difficult|complex\w*|vary|varies|varied|mixed|route\w*|cheap\w*",
    "unreliable_primary": r"reliab\w+|availab\w+|outages?|fall.?backs?|robust\w*|resilien\w+|always.answer\w*",
    "repetition": r"faqs?|repeat\w*|repetiti\w+|again.and.again|same.questions?|often.asked|frequently.asked|cache\w*",
    "transaction": r"transactions?|undo\w*|undone|compensat\w+|roll.?back|bookings?|payments?",
    "large_tasks": r"large.tasks?|big.tasks?|reports?|research\w*|plan|plans|planned|sub.?tasks?|split\w*",
    "contention": r"contention|bulkheads?|priorit(?:y|ies)",
}


def needs_of(wish: str) -> Needs:
    """What the words of the wish say; a wish for answers that are asked again has more than the share that pays."""
    # Compiled when the first wish is read: each pool loads this, and few ever read one.
    said = {field: True for field, words in _WORDS.items() if re.search(rf"\b(?:{words})\b", wish, re.IGNORECASE)}
    if said.pop("repetition", False):
        return Needs(**said, repetition=min(1.0, 2 * REPETITION))
    return Needs(**said)
