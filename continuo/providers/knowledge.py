"""Answers from a folder of Markdown: the section that fits a question best, with no model and at no cost."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import log
from pathlib import Path

from continuo.errors import InputError
from continuo.messages import Message, ModelRequest, ModelResponse, Usage
from continuo.providers.protocol import InProcess

NOTHING_FOUND = "Nothing was found about this in the knowledge folder."


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it. `heading` begins with those above it: `Returns > When you get your money`."""

    file: str
    heading: str
    text: str


class Knowledge:
    """Every `*.md` file in `folder` and below, in English, read again as soon as one of them changes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state: tuple[tuple[Path, int], ...] = ()
        self._index: Index | None = None

    def answer(self, request: ModelRequest) -> ModelResponse:
        """The section that ranks first for the last user message: its heading, its text and its file.

        `confidence` is in 0..1, see `Index.best`; when no word matches it is 0 and the text says that nothing was
        found. Raises `InputError` for a folder that is missing or holds no text.
        """
        section, confidence = self._current().best(request.prompt)
        text = NOTHING_FOUND
        if section is not None:
            text = f"{section.heading}\n\n{section.text}\n\nSource: {section.file}"
        return ModelResponse(
            message=Message(role="assistant", content=text),
            finish_reason="stop",
            usage=Usage(),
            confidence=confidence,
        )

    def _current(self) -> "Index":
        files = sorted(self._folder.rglob("*.md"))
        state = tuple((file, file.stat().st_mtime_ns) for file in files)
        if self._index is None or state != self._state:
            all_sections = [section for file in files for section in sections(file, self._folder)]
            if not all_sections:
                raise InputError(
                    f"no Markdown text in {self._folder}; "
                    "set CONTINUO_KNOWLEDGE to a folder with .md files that hold more than headings"
                )
            self._index, self._state = Index(all_sections), state
        return self._index


class KnowledgeProvider(InProcess):
    lacks = None
    served_by = "knowledge"

    def answering(self, folder: Path) -> Callable[[ModelRequest], ModelResponse]:
        return Knowledge(folder).answer


class Index:
    """Sections ranked by BM25. Words are compared without case and by their English stem; stop words do not count."""

    def __init__(self, sections: list[Section]) -> None:
        # Imported here because numpy takes longer to load than all else that a worker without knowledge needs.
        from bm25s import BM25

        self._sections = sections
        tokens = words([f"{section.heading}\n{section.text}" for section in sections])
        self._vocabularies = [set(section) for section in tokens]
        self._spread = Counter(word for vocabulary in self._vocabularies for word in vocabulary)
        self._ranking = BM25()
        if self._spread:
            self._ranking.index(tokens, show_progress=False)

    def best(self, question: str) -> tuple[Section | None, float]:
        """The section that ranks first, and how much of the question it covers, in 0..1.

        Each different word of the question weighs as much as BM25 lets it, by its inverse document frequency; one
        that no section holds weighs the most, as the rarest. The confidence is the weight of the words that the
        section holds over the weight of all: 1 when it holds every word, 0 when it holds none.
        """
        [terms] = words([question])
        if not any(word in self._spread for word in terms):
            return None, 0.0
        first = int(self._ranking.get_scores(terms).argmax())
        weights = {word: self._weight(word) for word in terms}
        covered = sum(weight for word, weight in weights.items() if word in self._vocabularies[first])
        return self._sections[first], min(1.0, covered / sum(weights.values()))

    def _weight(self, word: str) -> float:
        holding = self._spread[word]
        return log(1 + (len(self._sections) - holding + 0.5) / (holding + 0.5))


def words(texts: list[str]) -> list[list[str]]:
    """The stems of each text's words, in order, without stop words."""
    from bm25s import tokenize
    from snowballstemmer import stemmer

    tokenized: list[list[str]] = tokenize(
        texts,
        stopwords="english_plus",
        stemmer=stemmer("english").stemWords,
        return_ids=False,
        show_progress=False,
    )
    # A text without a word comes back as one empty word.
    return [[word for word in text if word] for text in tokenized]


def sections(file: Path, folder: Path) -> list[Section]:
    """The sections of a file that hold text. What stands before the first heading goes under the file's name."""
    from markdown_it import MarkdownIt

    text = file.read_text(encoding="utf-8", errors="replace")
    # The parser counts lines by line feeds alone; `splitlines` knows more kinds.
    lines = text.split("\n")
    tokens = MarkdownIt().parse(text)
    name = file.relative_to(folder)
    collected: list[Section] = []
    above: list[tuple[int, str]] = []
    start = 0

    def close(end: int) -> None:
        if body := "\n".join(lines[start:end]).strip():
            heading = " > ".join(title for _, title in above) or name.stem
            collected.append(Section(name.as_posix(), heading, body))

    for opening, title in pairwise(tokens):
        # A heading inside a list or a quotation is part of the text it stands in.
        if opening.type == "heading_open" and opening.level == 0 and opening.map is not None:
            close(opening.map[0])
            level = int(opening.tag[1])
            above = [(other, text) for other, text in above if other < level] + [(level, title.content)]
            start = opening.map[1]
    close(len(lines))
    return collected
