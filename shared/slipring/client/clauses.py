"""The verdicts on the clauses, asked of the front as any client asks: some rows at a time, all of one moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from types import TracebackType
from typing import Any

import httpx

from slipring.clauses.register import Clause, named_by, register
from slipring.client.wire import Tree, Wire, parameter, value_of, values_of
from slipring.verdicts.period import Period

_OPERATION = "Measure/$clause-check"
_AT_ONCE = 8  # rows in one question
_LONG_S = 15.0  # after a question that took longer the next one has half as many


@dataclass(frozen=True, slots=True)
class ExceptionTold:
    """One thing that breaks a check; `record` is `Type/id`, '' where something is missing."""

    kind: str
    record: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class CheckTold:
    """One check of one service."""

    service: str
    code: str
    zh: str
    en: str
    verdict: str
    population: int
    count: int  # of all exceptions
    exceptions: tuple[ExceptionTold, ...]  # those that were listed
    evidence: tuple[str, ...]
    unconfirmed: tuple[str, ...]
    not_then: tuple[str, ...] = ()  # records of another service that were read as they are today


@dataclass(frozen=True, slots=True)
class RowTold:
    """One row of the register with its verdict."""

    clause: Clause
    verdict: str
    population: int
    count: int
    sha256: str
    checks: tuple[CheckTold, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """All that was asked: the period, the moment it stands for, the rows in the register's order."""

    period: Period
    at: str
    rows: tuple[RowTold, ...]


class Clauses:
    """Raises Refused with the server's words, Unanswered where none came, NoToken where no token was given."""

    def __init__(self, http: httpx.Client, wire: Wire | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._http, self._now = http, now
        self._wire = wire or Wire(http)

    @classmethod
    def at(cls, url: str, auth: httpx.Auth, *, timeout_seconds: float = 900) -> Clauses:
        """Those of the front at this address."""
        return cls(httpx.Client(base_url=url.rstrip("/"), auth=auth, timeout=timeout_seconds))

    def __enter__(self) -> Clauses:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def checked(
        self,
        labels: Sequence[str] = (),
        period: Period | None = None,
        at: str = "",
        *,
        tell: Callable[[int, int], None] = lambda done, of: None,
    ) -> Told:
        """The verdicts on these clauses, or on all. The first answer's moment is the one that all others stand for.

        `tell`: rows done, rows in all.
        """
        wanted = [row.id for row in register().clauses if not labels or any(row in named_by(one) for one in labels)]
        wanted = wanted or list(labels)  # what nobody knows is the server's to refuse
        rows: list[RowTold] = []
        done, share = 0, _AT_ONCE
        while done < len(wanted):
            tell(done, len(wanted))
            begun = self._now()
            answer = self._wire.asked(_OPERATION, *parameters_of(wanted[done : done + share], period, at))
            done += share
            if self._now() - begun > _LONG_S:  # many records: fewer rows in a question keep it from taking minutes
                share = max(1, share // 2)
            rows += rows_in(answer)
            at = str(value_of(answer, "at"))
            period = Period(_day(answer, "periodStart"), _day(answer, "periodEnd"))
        tell(len(wanted), len(wanted))
        if period is None:
            raise LookupError("the register has no rows to ask about")
        return Told(period, at, tuple(rows))


def rows_in(answer: Tree) -> list[RowTold]:
    """The rows of an answer."""
    return [_row(one) for one in answer.get("parameter", []) if one["name"] == "clause"]


def _row(one: Tree) -> RowTold:
    known = {clause.id: clause for clause in register().clauses}
    checks = tuple(_check(part) for part in one["part"] if part["name"] == "check")
    said: dict[str, Any] = {
        name: value_of(one, name) for name in ("id", "verdict", "population", "exceptions", "sha256")
    }
    return RowTold(known[said["id"]], said["verdict"], said["population"], said["exceptions"], said["sha256"], checks)


def _check(one: Tree) -> CheckTold:
    exceptions = tuple(
        ExceptionTold(
            str(value_of(part, "kind")),
            str((value_of(part, "record") or {}).get("reference", "")),
            str(value_of(part, "zh")),
            str(value_of(part, "en")),
        )
        for part in one["part"]
        if part["name"] == "exception"
    )
    service, code, zh, en, verdict = (str(value_of(one, n)) for n in ("service", "code", "zh", "en", "verdict"))
    counts = int(value_of(one, "population")), int(value_of(one, "exceptions"))
    lists = tuple(map(str, values_of(one, "evidence"))), tuple(map(str, values_of(one, "unconfirmed")))
    not_then = tuple(str(value.get("reference", "")) for value in values_of(one, "notThen"))
    return CheckTold(service, code, zh, en, verdict, *counts, exceptions, *lists, not_then)


def parameters_of(rows: Sequence[str], period: Period | None, at: str) -> list[Tree]:
    """The parameters that all operations on clauses share."""
    given = [parameter("clause", "String", row) for row in rows]
    if period is not None:
        given.append(parameter("periodStart", "Date", period.first.isoformat()))
        given.append(parameter("periodEnd", "Date", period.last.isoformat()))
    return [*given, *([parameter("at", "DateTime", at)] if at else [])]


def _day(answer: Tree, name: str) -> date:

    return date.fromisoformat(str(value_of(answer, name)))
