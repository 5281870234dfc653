"""Accounts of the story's people: random passwords, made for this run, readable by their owner only."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import asyncpg
from slipring.identity.database import with_front_schema
from slipring.identity.people.administering import Administration
from slipring.identity.people.passwords import new_initial_password
from slipring.runtime.clock import utc_now

_ROLES = {
    "requester": ["requester"],
    "ward duty": ["requester"],
    "first reader": ["radiologist-b"],
    "second reader": ["radiologist-d", "quality-manager"],
    "technologist": ["technologist"],
    "nurse": ["ct-nurse"],
}


def accounts_file(data_dir: Path) -> Path:
    """Where the names and passwords lie."""
    return data_dir / "demo-accounts.json"


def make_accounts(data_dir: Path, staff: Mapping[str, str]) -> Path:
    """An account for each of the staff (name in the story -> Practitioner/...); the file that holds the passwords."""
    passwords = {name.replace(" ", "-"): new_initial_password() for name in _ROLES}

    async def act(connection: asyncpg.Connection, schema: str) -> None:
        administration = Administration(connection, schema, utc_now())
        for name, roles in _ROLES.items():
            account = name.replace(" ", "-")
            async with connection.transaction():
                await administration.add(account, staff[name], roles, password=passwords[account], by="demo")

    with_front_schema(data_dir, act)
    path = accounts_file(data_dir)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(passwords, file, indent=1)
    return path


def told_accounts(data_dir: Path) -> list[str]:
    """Each account with its password, for the terminal of who started the demo."""
    passwords = json.loads(accounts_file(data_dir).read_text(encoding="utf-8"))
    return [f"{name:<14} {password}" for name, password in passwords.items()]
