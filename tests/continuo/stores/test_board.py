from continuo.protection.breaker import State
from continuo.stores.board import Board
from continuo.stores.database import Database


async def test_the_newest_state_of_each_provider_is_shown(database: Database) -> None:
    board = Board(database)
    assert await board.all() == {}
    newest = State(provider="openai", state="open", version=2)
    for state in (State(provider="openai", version=1), newest, State(provider="openai", version=1), newest):
        await board.publish(state)
    await board.publish(State(provider="groq"))
    assert await board.all() == {"groq": State(provider="groq"), "openai": newest}
