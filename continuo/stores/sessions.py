"""Who is signed in to the web page: sessions by a hash of their tokens, for all gateways."""

from hashlib import sha256

from continuo.protection.api_keys import Proof
from continuo.stores.database import Connection, Database


class Sessions:
    """`now` and `expires` are seconds since 1970."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, token: str, secret: Proof, now: float, expires: float) -> None:
        """Keep who has signed in with which secret, and drop the sessions that are over."""
        row = (_digest(token), secret.id, secret.digest, expires)
        sql = (
            "INSERT INTO page_sessions (sha256, key_id, key_sha256, expires) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        )

        def write(connection: Connection) -> None:
            connection.execute("DELETE FROM page_sessions WHERE expires <= ?", (now,))
            connection.execute(sql, row)

        await self._database.write(write)

    async def find(self, token: str, now: float) -> Proof | None:
        """With which secret the session began; None for one that nobody has, or that is over."""
        sql = "SELECT key_id, key_sha256 FROM page_sessions WHERE sha256 = ? AND expires > ?"
        rows = await self._database.read(sql, (_digest(token), now))
        return Proof(rows[0]["key_id"], rows[0]["key_sha256"]) if rows else None

    async def end(self, token: str) -> None:
        sql = "DELETE FROM page_sessions WHERE sha256 = ?"
        await self._database.write(lambda connection: connection.execute(sql, (_digest(token),)).rowcount)


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
