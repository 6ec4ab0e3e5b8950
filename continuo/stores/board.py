"""What is known of the breakers, for every worker to read: the entities that own them publish here."""

from continuo.operations.events import of_breaker
from continuo.protection.breaker import State
from continuo.stores.database import Connection, Database
from continuo.stores.events import enter_events


class Board:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(self, state: State) -> None:
        """Show the state, unless a newer one is shown, and put on the bus what has become of the breaker since."""
        row = (state.provider, state.version, state.model_dump_json())
        sql = (
            "INSERT INTO breakers (provider, version, state) VALUES (?, ?, ?) ON CONFLICT (provider) DO UPDATE"
            " SET version = excluded.version, state = excluded.state WHERE breakers.version < excluded.version"
        )

        def write(connection: Connection) -> None:
            known = "SELECT state FROM breakers WHERE provider = ?"
            before = connection.execute(known, (state.provider,)).fetchone()
            if connection.execute(sql, row).rowcount:
                enter_events(connection, of_breaker(state, before and State.model_validate_json(before["state"])))

        await self._database.write(write)

    async def all(self) -> dict[str, State]:
        """The states by provider; a provider that is not shown has never failed."""
        rows = await self._database.read("SELECT provider, state FROM breakers ORDER BY provider")
        return {row["provider"]: State.model_validate_json(row["state"]) for row in rows}
