"""What an agent knows of itself between two turns: all that goes on where its workflow continues as new."""

from collections.abc import Sequence
from datetime import datetime

from continuo.data import Data
from continuo.jobs import Account, Read
from continuo.messages import Earlier, Message
from continuo.parameters import Tool
from continuo.stores.turns import Turn


class Shown(Data):
    """So many turns, of about so many tokens, that the model is shown; `digest` is the last one's."""

    digest: str
    turns: int
    tokens: int


class AgentState(Data):
    """`id` is what the agent's effects are known by, and `begun` when it began.

    `task` is the turn that it was asked by, `opening` what stands in place of the `left_out` turns, and `read` how many
    tokens the model reads, by its provider's count as far as there is one. `seconds` are those before the present
    workflow; `text` is what the model said last, and `said` all that it said where its turns are streamed. `waiting`
    are messages that came and are not said to it yet, `listed` the tools of servers, and `known` what it has read that
    limits what it may do. `proposed` are the arguments with which a person was last asked for each tool.
    """

    id: str
    begun: datetime
    head: Turn | None = None
    task: str | None = None
    opening: str | None = None
    left_out: int = 0
    shown: tuple[Shown, ...] = ()
    read: int = 0
    turns: int = 0
    calls: int = 0
    repaired: int = 0
    seconds: float = 0.0
    text: str = ""
    said: str = ""
    simulated: bool = False
    waiting: tuple[Message, ...] = ()
    listed: dict[str, tuple[Tool, ...]] = {}
    known: Read = Read()
    proposed: dict[str, str] = {}
    account: Account = Account()

    @property
    def earlier(self) -> Earlier:
        """All that the model is shown."""
        assert self.head is not None, "an agent has been asked something"
        last = sum(one.turns for one in self.shown) if self.opening else None
        return Earlier(digest=self.head.digest, last=last, opening=self.opening)

    @property
    def sizes(self) -> Sequence[int]:
        return [one.tokens for one in self.shown]

    def behind(self, turn: Turn) -> "AgentState":
        """The same with one more turn."""
        before = self.head or Turn(digest="", depth=0, tokens=0)
        tokens = turn.tokens - before.tokens
        shown = Shown(digest=turn.digest, turns=turn.depth - before.depth, tokens=tokens)
        return self.model_copy(update={"head": turn, "shown": (*self.shown, shown), "read": self.read + tokens})
