"""The API keys, in SQL: what each may do, and a hash of its secret, never the secret."""

from collections.abc import Callable
from datetime import datetime
from operator import attrgetter

from continuo.errors import InputError
from continuo.protection.api_keys import ApiKey, Secret, StoredKey
from continuo.stores.database import Connection, Database


class ApiKeys:
    """A revoked key is kept, so that what it has spent keeps a name."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read: dict[str, StoredKey] = {}

    async def all(self) -> list[StoredKey]:
        """Every key, the oldest first."""
        rows = await self._database.read("SELECT stored FROM api_keys")
        # They are read every few seconds, and hardly ever change.
        texts = [row["stored"] for row in rows]
        self._read = {text: self._read.get(text) or StoredKey.model_validate_json(text) for text in texts}
        return sorted(self._read.values(), key=attrgetter("key.created", "key.id"))

    async def create(self, key: ApiKey, secret: Secret) -> None:
        row = (key.id, StoredKey(key=key, sha256=secret.digest).model_dump_json())
        # Repeated after a connection that broke at the commit: the same row.
        sql = "INSERT INTO api_keys VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET stored = excluded.stored"
        await self._database.write(lambda connection: connection.execute(sql, row).rowcount)

    async def rotate(self, secret: Secret, *, grace: datetime) -> StoredKey:
        """The key of `secret` as it is now: opened by that, and by its former secret until `grace`.

        Raises `InputError` for a key that nobody has, or that was revoked.
        """

        def rotated(stored: StoredKey) -> StoredKey:
            if stored.revoked:
                raise InputError(f"id: key {secret.id} was revoked; create another: continuo keys create")
            previous = stored.previous_sha256 if stored.sha256 == secret.digest else stored.sha256
            update = {"sha256": secret.digest, "previous_sha256": previous, "previous_until": grace}
            return stored.model_copy(update=update)

        return await self._changed(secret.id, rotated)

    async def revoke(self, id: str, now: datetime) -> StoredKey:
        """The key, which opens nothing any more. Raises `InputError` for one that nobody has."""
        return await self._changed(id, lambda stored: stored.model_copy(update={"revoked": stored.revoked or now}))

    async def _changed(self, id: str, change: Callable[[StoredKey], StoredKey]) -> StoredKey:
        def write(connection: Connection) -> StoredKey:
            # An update, since that locks the row in either store.
            row = connection.execute("UPDATE api_keys SET id = id WHERE id = ? RETURNING stored", (id,)).fetchone()
            if row is None:
                raise InputError(f"id: no key has the id {id!r}; see `continuo keys list`")
            changed = change(StoredKey.model_validate_json(row["stored"]))
            connection.execute("UPDATE api_keys SET stored = ? WHERE id = ?", (changed.model_dump_json(), id))
            return changed

        return await self._database.write(write)
