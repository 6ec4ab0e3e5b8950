"""What is done to the weights of an adaptive split, by its schedule or by hand: each is an entry of its journal."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from continuo.evaluation.adaptive import Shift, in_force, next_shares
from continuo.evaluation.bandit import Share
from continuo.patterns.split import Split
from continuo.stores.database import Database
from continuo.stores.shifts import enter, seen, shifts


@dataclass(frozen=True)
class Shifting:
    """The weights of the named `pattern`, which is the adaptive `split`. Each method gives the new entry, or in a line
    why there is none."""

    database: Database
    pattern: str
    split: Split

    async def shift(self) -> Shift | str:
        """Let the shares follow from what is seen by now."""
        assert self.split.adaptive is not None
        last = await self._last()
        if last is not None and last.held:
            return f"held since {last.time:%Y-%m-%d %H:%M:%S} UTC"
        written, since = self.split.weights, last.since if last else None
        known = await seen(self.database, self.pattern, written, since, self.split.adaptive.window)
        result = next_shares(self.split.adaptive, in_force(written, last), known, first=not self._shares(last))
        return result if isinstance(result, str) else await self._enter(last, "shift", shares=result)

    async def hold(self) -> Shift | str:
        """Leave the shares as they are, until `release`."""
        last = await self._last()
        if last is not None and last.held:
            return "it is held already"
        return await self._enter(last, "hold", held=True)

    async def release(self) -> Shift | str:
        last = await self._last()
        if last is None or not last.held:
            return "it is not held"
        return await self._enter(last, "release", held=False)

    async def reset(self) -> Shift | str:
        """Back to the weights as they are written: what began before now counts no more."""
        return await self._enter(await self._last(), "reset", shares={}, since=datetime.now(UTC))

    async def _last(self) -> Shift | None:
        return next(iter(await shifts(self.database, self.pattern)), None)

    def _shares(self, last: Shift | None) -> dict[str, Share]:
        return last.shares if last is not None and last.written == self.split.weights else {}

    async def _enter(
        self,
        last: Shift | None,
        action: Literal["shift", "hold", "release", "reset"],
        *,
        held: bool | None = None,
        since: datetime | None = None,
        shares: dict[str, Share] | None = None,
    ) -> Shift | str:
        """The last entry but for what is given."""
        shift = Shift(
            number=last.number + 1 if last else 1,
            time=datetime.now(UTC),
            action=action,
            held=(last is not None and last.held) if held is None else held,
            since=since or (last.since if last else None),
            written=self.split.weights,
            shares=self._shares(last) if shares is None else shares,
        )
        entered = await enter(self.database, self.pattern, shift)
        return shift if entered else "somebody else has changed it at the same time; try again"
