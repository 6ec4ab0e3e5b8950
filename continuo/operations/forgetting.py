"""What is erased of a user, and what of it cannot be."""

from typing import Literal

from continuo.data import Data

Part = Literal[
    "executions", "runs", "journal", "streams", "turns", "payloads", "answers", "conversations", "batches", "files",
    "requests", "vault", "cache", "ratings", "ledger", "audit",
]  # fmt: skip
"""`executions` are those that Temporal knows: workflows with all below them, dead letters, webhooks, plain calls.
`batches` are whole ones and single items, `vault` is what placeholders stand for, `cache` is all of the tenants', since
no entry says whose question it was, `ratings` are those of the user's runs and those that the user gave. Rows of the
`ledger` stay, without the user; so do those of the `audit`, and nothing leads from them to the user."""


class Forgotten(Data):
    """How much went, or with `dry_run` would go, of the user in these `tenants`.

    What is under way stays, and is `running`: its workflow ids. `schedules` that run for the user are left to who made
    them. Temporal has been asked to drop `pending` executions, and has not yet. Of the files `unscrubbed`, others would
    not let go: what was deleted can still be read from their bytes.
    """

    dry_run: bool
    user: str
    tenants: tuple[str, ...]
    counts: dict[Part, int]
    running: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    pending: int = 0
    unscrubbed: tuple[str, ...] = ()

    @property
    def left(self) -> tuple[str, ...]:
        """A line for each thing that stays and should not."""
        what = {
            "under way; cancel them or let them end": self.running,
            "schedules that run for the user; delete them with `continuo schedule delete`": self.schedules,
            "files that could not be written anew; stop what uses them": self.unscrubbed,
        }
        lines = [f"{len(names)} {why}: {', '.join(names[:5])}" for why, names in what.items() if names]
        if self.pending:
            lines.append(f"{self.pending} executions that Temporal has not dropped yet")
        return tuple(lines)
