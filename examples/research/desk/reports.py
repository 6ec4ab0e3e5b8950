"""Reports: each is written once, however often it is tried."""

import os
import re
from hashlib import sha256
from pathlib import Path

FOLDER = Path(os.environ.get("REPORTS") or Path(__file__).parent.parent / "reports")


def write_report(title: str, text: str, effect: str) -> str:
    """Write a report as a Markdown file with a title, for people to read."""
    # The key is that of this one call of the tool: a later call with the same title writes another report.
    name = "-".join(re.findall(r"\w+", title.casefold()))[:60] or "report"
    path = FOLDER / f"{name}-{sha256(effect.encode()).hexdigest()[:8]}.md"
    FOLDER.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(f"# {title}\n\n{text}\n", encoding="utf-8")
    draft.replace(path)
    return f"written to {path.name}"
