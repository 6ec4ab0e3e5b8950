"""The page behind a review's link: plain HTML without script or style, in which everything shown is escaped."""

from collections.abc import Mapping
from html import escape

from continuo.decisions.review import Case
from continuo.protection.review_links import ReviewLink

HEADERS: Mapping[str, str] = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex",
}
"""Nothing of it is kept, framed, indexed or told to others; nothing is loaded."""


def asking(case: Case, link: ReviewLink, *, why: str | None = None) -> str:
    """What is to be decided, with a form that does; `why` says what was wrong with it the last time."""
    parts = [
        f"<p><strong>{escape(why)}</strong></p>" if why else "",
        f"<p>{escape(case.pattern)} for {escape(case.tenant)}, asked by {escape(case.requester or 'nobody named')};"
        f" due {case.due:%Y-%m-%d %H:%M} UTC. You are {escape(link.reviewer)}.</p>",
        f"<pre>{escape(case.text)}</pre>",
        f"<p>Changed since it was last proposed:</p><pre>{escape(chr(10).join(case.changes))}</pre>"
        if case.changes
        else "",
        '<form method="post">',
    ]
    if {"edit", "respond"} & {*link.decisions}:
        # The line break behind the tag is no part of the text.
        text = escape(case.text) if "edit" in link.decisions else ""
        parts.append(f'<p><label>Text<br><textarea name="text" rows="12" cols="80">\n{text}</textarea></label></p>')
    if "reject" in link.decisions and case.reasons:
        options = "".join(f"<option>{escape(reason)}</option>" for reason in case.reasons)
        parts.append(
            f'<p><label>Reason of a rejection <select name="reason"><option value="">{options}</select></label></p>'
        )
    parts.append('<p><label>Note <input name="note" size="60" maxlength="10000"></label></p>')
    parts += [f'<button name="decision" value="{one}">{one}</button>' for one in link.decisions]
    return page(case.question, "\n".join(filter(None, [*parts, "</form>"])))


def page(title: str, body: str) -> str:
    """`title` is escaped here, `body` is HTML."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Review</title>'
        f"</head><body>\n<h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )
