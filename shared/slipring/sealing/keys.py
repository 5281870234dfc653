"""The signing key of one service: made at its first start, rotated by command, its public halves kept for ever.

The private half lies in a table of the service's own schema that no backup takes along, and is gone once the key is
rotated. Each key after the first is endorsed by the one before it, so that who keeps an early key can trust the later
ones; after a restore the chain of endorsements begins anew, because the old private half is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import asyncpg
import msgspec
from joserfc.jwk import ECKey

from slipring.fhir.store.engine import lock_number
from slipring.runtime.clock import utc_now
from slipring.signing.seal import ALGORITHM, SealingKey, examine, seal
from slipring.signing.seal_keys import ENDORSEMENT, Jwk, known, stated

_NEWEST = """SELECT k.kid, s.private_jwk::text, clock_timestamp() AS now FROM service_key k JOIN service_secret s USING (kid)
  WHERE k.until IS NULL ORDER BY k.since DESC, k.kid LIMIT 1"""
_ALL = "SELECT kid, public_jwk::text, since, until, endorsed FROM service_key ORDER BY since, kid"


class Reader(Protocol):
    """A connection or a pool that sees the service's schema."""

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        """All rows."""

    async def fetchrow(self, query: str, *args: Any) -> Any:
        """One row, or None."""


class ServiceKey:
    """The key in use, as this process last loaded it; it seals by the database's clock, as keys begin and end by it."""

    def __init__(self, pool: asyncpg.Pool, service: str) -> None:
        self._pool = pool
        self._ahead = timedelta()  # the database's clock against this machine's
        self.service = service
        self._current: SealingKey | None = None

    async def prepare(self) -> None:
        """Make the first key of the schema, or the first after a restore; of several processes one does."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("LOCK TABLE service_key IN SHARE ROW EXCLUSIVE MODE")
            if await newest(connection) is None:
                await make(connection, self.service)
            await self.load(connection)

    async def load(self, connection: Reader) -> SealingKey:
        """The key in use now."""
        row = await connection.fetchrow(_NEWEST)
        if row is None:
            raise NoKey(f"The service {self.service} has no signing key.")
        self._ahead = row["now"] - utc_now()
        if self._current is None or self._current.kid != row["kid"]:
            self._current = SealingKey(row["kid"], ECKey.import_key(msgspec.json.decode(row["private_jwk"])))
        return self._current

    def seal(self, payload: bytes, kind: str, at: datetime | None = None, previous: str = "") -> str:
        """Seal with the key that was loaded last, now or at a moment of the database's clock."""
        if self._current is None:
            raise NoKey(f"The service {self.service} has not loaded its signing key.")
        return seal(payload, kind, self._current, at or utc_now() + self._ahead, previous)

    async def keys(self) -> Sequence[Jwk]:
        """Every public key of the service with its times and endorsements, the past ones too."""
        return await published(self._pool, self.service)

    async def faults(self, seal: str, payload: bytes, kind: str) -> Sequence[str]:
        """Why a seal of this service does not stand over these bytes, as codes; judged by every key it ever published."""
        keys = known(await self.keys())
        return examine(seal, payload, kind, {key.kid: key for key in keys}).reasons


class NoKey(Exception):
    """There is no key to seal with."""


async def newest(connection: Reader) -> SealingKey | None:
    """The key in use, if there is one with its private half."""
    row = await connection.fetchrow(_NEWEST)
    return SealingKey(row["kid"], ECKey.import_key(msgspec.json.decode(row["private_jwk"]))) if row else None


async def make(connection: asyncpg.Connection, service: str) -> str:
    """Make a key that takes over at once, inside the caller's transaction; returns its kid."""
    before = await newest(connection)
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    public = dict(key.as_dict(private=False))
    now = (await connection.fetchrow("SELECT clock_timestamp() AS now"))["now"]
    endorsed = seal(stated(public, service), ENDORSEMENT, before, now) if before else ""
    await connection.execute("UPDATE service_key SET until = $1 WHERE until IS NULL", now)
    await connection.execute("DELETE FROM service_secret")
    await connection.execute(
        "INSERT INTO service_key (kid, public_jwk, since, endorsed) VALUES ($1, $2::jsonb, $3, $4)",
        key.kid,
        msgspec.json.encode(public).decode(),
        now,
        endorsed,
    )
    await connection.execute(
        "INSERT INTO service_secret (kid, private_jwk) VALUES ($1, $2::jsonb)",
        key.kid,
        msgspec.json.encode(dict(key.as_dict(private=True))).decode(),
    )
    return str(key.kid)


async def rotate(connection: asyncpg.Connection, schema: str, service: str) -> str:
    """Make a key that takes over at once, between two seals; returns its kid.

    `connection` sees the schema. The old private half is erased, the old public half stays.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", sealing_lock(schema))
        return await make(connection, service)


def sealing_lock(schema: str) -> int:
    """The advisory lock under which one schema is sealed."""
    return lock_number("sealer", schema)


async def published(connection: Reader, service: str) -> list[Jwk]:
    """Every public key of the service with its times, oldest first: members of a JWK Set (RFC 7517)."""
    found = []
    for row in await connection.fetch(_ALL):
        times = {"since": _written(row["since"]), "until": _written(row["until"])}
        extra = {**times, "service": service, "endorsed": row["endorsed"]}
        found.append(msgspec.json.decode(row["public_jwk"]) | {name: text for name, text in extra.items() if text})
    return found


def _written(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z") if moment else ""
