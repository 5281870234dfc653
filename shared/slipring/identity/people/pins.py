"""PINs of those who are rung: a person says on a telephone who he is, for the one case that a link led him to.

A PIN is kept as passwords are (argon2id) and opens nothing else. What is counted is the wrong PINs of a link, never of a
person: nobody can keep a receiver from answering by typing nonsense under his name.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

import asyncpg

from slipring.fhir.outcome import Issue
from slipring.identity.keys import table
from slipring.identity.people.accounts import Account, folded, read_account
from slipring.identity.people.figures import Figures, the_figures
from slipring.identity.people.passwords import Passwords
from slipring.identity.people.recording import record

_LONGEST = 64
_DIGITS = re.compile(r"[0-9]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pins:
    """PINs over the front's schema."""

    pool: asyncpg.Pool
    schema: str
    now: Callable[[], datetime]
    figures: Figures = field(default_factory=the_figures)
    passwords: Passwords = field(default_factory=lambda: Passwords(the_figures()))

    async def choose(self, account: Account, pin: str) -> Issue | None:
        """Keep another PIN of this account; why not, when it may not be chosen."""
        issue = wrong_with(pin, self.figures)
        if issue is not None:
            return issue
        kept, now = await self.passwords.kept(pin), self.now()
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                f"INSERT INTO {table(self.schema, 'receiver_pin')} (account, pin_hash, set_at) VALUES ($1, $2, $3)"
                " ON CONFLICT (account) DO UPDATE SET pin_hash = excluded.pin_hash, set_at = excluded.set_at",
                account.name,
                kept,
                now,
            )
            await record(connection, "pin-change", account.name, now, practitioner=account.practitioner)
        return None

    async def chosen_at(self, account: str) -> datetime | None:
        """When this account's PIN was set; None when it has none."""
        found: datetime | None = await self.pool.fetchval(
            f"SELECT set_at FROM {table(self.schema, 'receiver_pin')} WHERE account = $1", account
        )
        return found

    async def proved(self, name: str, pin: str, link: str, person: str = "") -> tuple[Account | None, int]:
        """Whose PIN this is, and how many wrong ones the link still stands; the same work whatever is wrong.

        He is named by his account, or is the `person` (Practitioner/...) whom the caller knows under what was typed. The
        try counts before the PIN is looked at, so that many at once count as many.
        """
        tried = await self._counted(link)
        if tried > self.figures.pin_tries:
            return None, 0
        now = self.now()
        named = await self._named(folded(name)[:_LONGEST].replace("\0", ""), person)
        pin = pin[:_LONGEST]
        fitting = [account for account, kept in named if await self.passwords.fits(kept, pin) and account.usable(now)]
        if not named:
            await self.passwords.fits("", pin)
        # One text may be somebody's account and another one's staff number: whom it cannot be told of, it is neither.
        account = fitting[0] if len({one.practitioner for one in fitting}) == 1 else None
        if account is None:
            known = named[0][0] if named else None
            async with self.pool.acquire() as connection, connection.transaction():
                await record(
                    connection,
                    "pin-refused",
                    known.name if known else "",
                    now,
                    practitioner=known.practitioner if known else "",
                    outcome=401,
                )
            return None, self.figures.pin_tries - tried
        async with self.pool.acquire() as connection, connection.transaction():
            await record(connection, "pin-proved", account.name, now, practitioner=account.practitioner)
        return account, self.figures.pin_tries - tried

    async def account_of(self, person: str) -> Account | None:
        """The account by which this person (Practitioner/...) has chosen a PIN; the first by name of several."""
        named = await self._named("", person)
        return next((account for account, kept in named if kept), None)

    async def _named(self, name: str, person: str) -> list[tuple[Account, str]]:
        """The accounts that are meant, each with its PIN as it is kept ('' where none was chosen)."""
        rows = await self.pool.fetch(
            f"SELECT account.name, coalesce(pin_hash, '') AS kept FROM {table(self.schema, 'account')} AS account"
            f" LEFT JOIN {table(self.schema, 'receiver_pin')} AS pin ON pin.account = account.name"
            " WHERE account.name = $1 OR ($2 <> '' AND practitioner = $2)"
            " ORDER BY account.name <> $1, account.name",
            name,
            person,
        )
        found = [(await read_account(self.pool, self.schema, row["name"]), str(row["kept"])) for row in rows]
        return [(account, kept) for account, kept in found if account is not None]

    async def _counted(self, link: str) -> int:
        """How often a PIN was tried under this link, this one with it."""
        key, tries = hashlib.sha256(f"link|{link}".encode()).hexdigest(), table(self.schema, "sign_in_tries")
        return int(
            await self.pool.fetchval(
                f"INSERT INTO {tries} (name_sha256, failures, last_at) VALUES ($1, 1, $2)"
                f" ON CONFLICT (name_sha256) DO UPDATE SET failures = {tries}.failures + 1, last_at = $2 RETURNING failures",
                key,
                self.now(),
            )
        )


def wrong_with(pin: str, figures: Figures) -> Issue | None:
    """Why this PIN may not be chosen; None when it may.

    >>> wrong_with("111111", the_figures()).detail, wrong_with("482913", the_figures())
    ('identity.pin-guessable', None)
    """
    if not _DIGITS.fullmatch(pin) or not figures.pin_shortest <= len(pin) <= _LONGEST:
        return Issue(
            "value",
            zh=f"PIN 码至少 {figures.pin_shortest} 位，只含数字。",
            en=f"A PIN has at least {figures.pin_shortest} digits and nothing else.",
            at="pin",
            detail="identity.pin-too-short",
        )
    steps = {int(after) - int(before) for before, after in pairwise(pin)}
    if len(set(pin)) < 3 or steps in ({1}, {-1}):
        return Issue(
            "value",
            zh="这个 PIN 码太容易猜到；请换一个。",
            en="This PIN is too easily guessed; choose another.",
            at="pin",
            detail="identity.pin-guessable",
        )
    return None


@dataclass(frozen=True, slots=True)
class Pass:
    """What a cookie says of somebody who opened a case by a link: who he is, which case, until when. Signed by the front."""

    account: str
    case: str  # k-...
    until: datetime

    def text(self, key: bytes) -> str:
        """As the cookie carries it."""
        said = f"{self.account}.{self.case}.{int(self.until.timestamp())}"
        return f"{said}.{_sealed(key, said)}"

    @staticmethod
    def of(text: str, key: bytes, case: str, now: datetime) -> str:
        """The account of a pass that is ours, for this case and still good; ''."""
        said, _, seal = text.rpartition(".")
        if not said or not hmac.compare_digest(seal.encode(), _sealed(key, said).encode()):
            return ""
        rest, _, until = said.rpartition(".")
        account, _, named = rest.rpartition(".")
        return account if named == case and now.timestamp() < int(until) else ""


def _sealed(key: bytes, said: str) -> str:
    return hmac.new(key, f"receiver|{said}".encode(), hashlib.sha256).hexdigest()
