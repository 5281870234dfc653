"""Break-glass: for a coded reason and words, somebody sees for minutes what the roles do not allow; nothing of it is hidden."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from slipring.fhir.caller import BREAK_GLASS
from slipring.fhir.outcome import FhirError, Issue, forbidden
from slipring.identity.keys import table
from slipring.identity.people.recording import record
from slipring.identity.people.roles import OVERSEE, the_roles
from slipring.identity.people.sessions import Session
from slipring.identity.people.signing_in import People

_LONGEST_NOTE = 1000
_MOST_LISTED = 500


@dataclass(frozen=True, slots=True)
class Reasons:
    """The reasons there are, by code, in Chinese and English, and how much must be said in words."""

    words: dict[str, tuple[str, str]]
    shortest_note: int


@dataclass(frozen=True, slots=True)
class Broken:
    """One use, as the quality manager sees it."""

    account: str
    practitioner: str
    reason: tuple[str, str]
    note: str
    started_at: datetime
    until: datetime


@cache
def the_reasons() -> Reasons:
    """The shipped list."""
    data = tomllib.loads((Path(__file__).parent / "emergency_reasons.toml").read_text(encoding="utf-8"))
    return Reasons({one["code"]: (one["zh"], one["en"]) for one in data["reason"]}, data["shortest_note"])


def may_break(session: Session) -> bool:
    """Whether any of the roles gains something by it."""
    return any(role.emergency for role in the_roles().of(session.roles))


def may_oversee(session: Session) -> bool:
    """Whether this person looks after what others did so."""
    return OVERSEE in the_roles().scopes(session.roles)


async def break_glass(people: People, session: Session, reason: str, note: str, request_id: str = "") -> datetime:
    """Hold the emergency scopes of the roles from now on; until when."""
    if not may_break(session):
        raise forbidden(
            "Your roles have no emergency access.", "您的岗位没有紧急访问。", detail="identity.no-emergency-access"
        )
    reasons, words = the_reasons(), note.strip()
    if reason not in reasons.words:
        issue = Issue(
            "value", zh="请选择理由。", en="Choose a reason.", at="reason", detail="identity.emergency-reason-missing"
        )
        raise FhirError(422, [issue])
    if not reasons.shortest_note <= len(words) <= _LONGEST_NOTE or "\0" in words:
        shortest, longest = reasons.shortest_note, _LONGEST_NOTE
        issue = Issue(
            "value",
            zh=f"请用 {shortest} 到 {longest} 个字说明情况。",
            en=f"Say what happened in {shortest} to {longest} characters.",
            at="note",
            detail="identity.emergency-note-missing",
        )
        raise FhirError(422, [issue])
    now = people.now()
    until = now + the_roles().emergency_lasts
    async with people.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            f"INSERT INTO {table(people.schema, 'emergency')}"
            " (sid, account, practitioner, reason, note, started_at, until) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            session.sid,
            session.account.name,
            session.account.practitioner,
            reason,
            words,
            now,
            until,
        )
        await record(
            connection,
            "break-glass",
            session.account.name,
            now,
            practitioner=session.account.practitioner,
            request_id=request_id,
            details=(reason,),
            purpose=BREAK_GLASS,
        )
    return until


async def give_back(people: People, session: Session, request_id: str = "") -> None:
    """End it before its time; what was done stays listed."""
    now = people.now()
    async with people.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            f"UPDATE {table(people.schema, 'emergency')} SET until = $2 WHERE sid = $1 AND until > $2", session.sid, now
        )
        await record(
            connection,
            "break-glass-end",
            session.account.name,
            now,
            practitioner=session.account.practitioner,
            request_id=request_id,
            purpose=BREAK_GLASS,
        )


async def all_broken(people: People, session: Session, request_id: str = "") -> list[Broken]:
    """Every use, the newest first, for who oversees it; looking is recorded as well."""
    if not may_oversee(session):
        raise forbidden(
            "The list of emergency access is for the quality manager.",
            "紧急访问清单仅供质量负责人查看。",
            detail="identity.overseers-only",
        )
    words = the_reasons().words
    async with people.pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            "SELECT account, practitioner, reason, note, started_at, until"
            f" FROM {table(people.schema, 'emergency')} ORDER BY started_at DESC, id DESC LIMIT $1",
            _MOST_LISTED,
        )
        await record(
            connection,
            "break-glass-list",
            session.account.name,
            people.now(),
            practitioner=session.account.practitioner,
            request_id=request_id,
        )
    return [
        Broken(
            row["account"],
            row["practitioner"],
            words.get(row["reason"], (row["reason"], row["reason"])),
            row["note"],
            row["started_at"],
            row["until"],
        )
        for row in rows
    ]
