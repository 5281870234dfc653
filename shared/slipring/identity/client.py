"""How the commands of this machine reach the front: where it is, who asks, and with which key of the data directory."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
from joserfc.jwk import ECKey

from slipring.client.token import BackendAuth, MissingKeys, NoToken, read_key_file, token_of
from slipring.identity.clients import DEMO_HIS
from slipring.identity.keys import key_file
from slipring.runtime.postgres import data_directory

__all__ = [
    "BackendAuth",
    "NoToken",
    "api_client",
    "backend_auth",
    "client_key",
    "client_name",
    "read_key_file",
    "server_url",
    "token_of",
]

DEFAULT_URL = "http://127.0.0.1:8100"


def server_url(given: str | None = None) -> str:
    """Where the front is: as given, SLIPRING_URL, or this machine."""
    return (given or os.environ.get("SLIPRING_URL") or DEFAULT_URL).rstrip("/")


def client_name(given: str | None = None) -> str:
    """Who asks: as given, SLIPRING_CLIENT, or the demo HIS."""
    return given or os.environ.get("SLIPRING_CLIENT") or DEMO_HIS


def client_key(name: str, data_dir: Path) -> ECKey:
    """The client's key from the data directory; NoToken says what to do when there is none."""
    try:
        return read_key_file(key_file(data_dir, name))
    except MissingKeys as missing:
        raise NoToken(
            f"{missing} Was the server started with another --data-dir? Set SLIPRING_DATA_DIR to the same. Outside demo"
            " mode register a client with `slipring client add NAME --scope ...` and set SLIPRING_CLIENT=NAME."
        ) from None


def backend_auth(
    url: str | None = None, client: str | None = None, scope: str | None = None, data_dir: Path | None = None
) -> BackendAuth:
    """The auth flow of a client whose key lies in the data directory."""
    name = client_name(client)
    key = client_key(name, data_directory(data_dir))
    return BackendAuth(f"{server_url(url)}/auth/token", name, key, scope or "")


def api_client(
    url: str | None = None,
    client: str | None = None,
    scope: str | None = None,
    *,
    data_dir: Path | None = None,
    timeout_seconds: float = 60,
) -> httpx.Client:
    """A client of the front that obtains and renews its token by itself."""
    return httpx.Client(
        base_url=server_url(url),
        auth=backend_auth(url, client, scope, data_dir),
        headers={"Accept": "application/fhir+json"},
        timeout=timeout_seconds,
    )
