"""Keys: those that sign access tokens (in the front's schema) and those that clients keep in files.

Signing keys may be several: the newest signs, all of them verify, so a rotation invalidates no token.
"""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import msgspec
from joserfc.jwk import ECKey, KeySet

from slipring.client.token import CLIENT_ALGORITHM, MissingKeys

# Access tokens of our own.
TOKEN_ALGORITHM = "ES256"  # noqa: S105 - the name of an algorithm

Jwk = dict[str, Any]


class Reader(Protocol):
    """A connection or a pool: both answer a single statement."""

    async def fetchrow(self, query: str, *args: Any) -> Any:
        """One row, or None."""

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        """All rows."""


_CLIENT_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")


_OUTLIVED_SECONDS = 360  # a token's five minutes, and the clocks of several machines


def new_token_key() -> ECKey:
    """A fresh key that signs access tokens."""
    return ECKey.generate_key("P-256", {"use": "sig", "alg": TOKEN_ALGORITHM}, auto_kid=True)


def new_client_key() -> ECKey:
    """A fresh key for a client's assertions."""
    return ECKey.generate_key("P-384", {"use": "sig", "alg": CLIENT_ALGORITHM}, auto_kid=True)


def public_half(key: ECKey) -> Jwk:
    """The part of a key that may be shown to anyone."""
    return dict(key.as_dict(private=False))


def table(schema: str, name: str) -> str:
    """A schema-qualified table name; the schema's name comes from a setting and is quoted all the same."""
    return '"{}".{}'.format(schema.replace('"', '""'), name)


async def ensure_token_key(connection: asyncpg.Connection, schema: str) -> None:
    """Make the first signing key; of several processes that start at once one wins."""
    async with connection.transaction():
        await connection.execute(f"LOCK TABLE {table(schema, 'token_key')} IN SHARE ROW EXCLUSIVE MODE")
        if not await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table(schema, 'token_key')})"):
            await rotate_token_key(connection, schema)


async def rotate_token_key(connection: asyncpg.Connection, schema: str) -> str:
    """Add a signing key that takes over at once; the old ones go on verifying. Returns its kid."""
    key = new_token_key()
    await connection.execute(
        f"INSERT INTO {table(schema, 'token_key')} (kid, private_jwk, public_jwk) VALUES ($1, $2::jsonb, $3::jsonb)",
        key.kid,
        as_text(dict(key.as_dict(private=True))),
        as_text(public_half(key)),
    )
    return str(key.kid)


async def newest_token_key(connection: Reader, schema: str) -> ECKey:
    """The key that signs now."""
    row = await connection.fetchrow(
        f"SELECT private_jwk::text FROM {table(schema, 'token_key')} ORDER BY created_at DESC, kid LIMIT 1"
    )
    if row is None:
        raise MissingKeys("There is no key that signs access tokens yet: start the front once.")
    return ECKey.import_key(msgspec.json.decode(row["private_jwk"]))


async def public_token_keys(connection: Reader, schema: str) -> list[Jwk]:
    """All keys that a token still in force may be signed with, newest first: the published key set.

    A key that was followed by another signs no more; it leaves the set once the last token it signed has ended.
    """
    rows = await connection.fetch(
        "SELECT public_jwk::text FROM (SELECT public_jwk, created_at, kid, lag(created_at) OVER (ORDER BY created_at DESC, kid)"
        f" AS followed_at FROM {table(schema, 'token_key')}) k WHERE followed_at IS NULL"
        f" OR followed_at > clock_timestamp() - interval '{_OUTLIVED_SECONDS} seconds' ORDER BY created_at DESC, kid"
    )
    return [msgspec.json.decode(row["public_jwk"]) for row in rows]


async def page_cursor_key(connection: asyncpg.Connection, schema: str) -> bytes:
    """The key that encrypts the front's page cursors, made at first start and shared by all its replicas."""
    from cryptography.fernet import Fernet

    return (await kept_secret(connection, schema, "front-cursor", Fernet.generate_key().decode())).encode()


async def page_form_key(pool: asyncpg.Pool, schema: str) -> bytes:
    """The key that our pages' forms are signed with, shared by whoever serves pages."""
    return bytes.fromhex(await kept_secret(pool, schema, "page-forms", secrets.token_hex(32)))


async def kept_secret(connection: Any, schema: str, name: str, fresh: str) -> str:
    """The secret of this name; the fresh value becomes it if there is none yet."""
    secret = table(schema, "secret")
    await connection.execute(
        f"INSERT INTO {secret} (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, fresh
    )
    return str(await connection.fetchval(f"SELECT value FROM {secret} WHERE name = $1", name))


def as_text(tree: Any) -> str:
    """JSON text for a jsonb column (asyncpg takes and gives text there)."""
    return msgspec.json.encode(tree).decode()


# --- key files of clients -----------------------------------------------------------------------------------


def key_file(data_dir: Path, client: str) -> Path:
    """Where a client's private key lies in the data directory."""
    if not _CLIENT_NAME.match(client):
        raise MissingKeys(f"{client!r} is no client name: letters, digits, dot, dash and underscore only.")
    return data_dir / "keys" / f"{client}.jwk.json"


def write_key_file(path: Path, key: ECKey) -> None:
    """Write a private key so that only its owner may read it, and never a half-written one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = path.with_suffix(f".{os.getpid()}.new")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(dict(key.as_dict(private=True))))
    half.rename(path)


def read_public_keys(path: Path) -> Jwk:
    """The public key set in a file that holds a JWK or a JWKS; private members are dropped."""
    tree = msgspec.json.decode(path.read_bytes())
    keys = KeySet.import_key_set(tree if "keys" in tree else {"keys": [tree]})
    return {"keys": [dict(key.as_dict(private=False)) for key in keys]}
