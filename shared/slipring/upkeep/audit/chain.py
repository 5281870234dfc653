"""The chain of seals: number after number, each signed, each following the one before it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from slipring.sealing.content import SEAL, Head, payload
from slipring.sealing.tree import root, unpacked
from slipring.signing.seal import KnownKey, examine, jws_sha256
from slipring.upkeep.audit.finding import SchemaReport

_ALL = "SELECT number, skipped, rows, first, last, root, previous, jws, leaves FROM seal ORDER BY number"
_CLOCKS_DIFFER = timedelta(seconds=5)
_AT_ONCE = 20
_KEY_REASONS = ("key-unknown", "key-not-valid-then")


@dataclass(frozen=True, slots=True)
class Covered:
    """What one seal covers, and when it was made by its own signed time."""

    number: int
    at: datetime | None
    leaves: list[tuple[int, bytes]]


@dataclass(slots=True)
class Chain:
    """Walks one schema's seals; what does not fit is named in the report."""

    connection: asyncpg.Connection
    service: str
    keys: Mapping[str, KnownKey]
    report: SchemaReport
    anchor: tuple[int, str] | None = None  # the number and hash of a seal that was kept outside

    async def walk(self) -> AsyncIterator[Covered]:
        """Each seal in order."""
        before = Head(0)
        at: datetime | None = None
        async for row in self.connection.cursor(_ALL, prefetch=_AT_ONCE):
            covered = self._judged(row, before, at)
            before = Head(row["number"], sha256=jws_sha256(row["jws"]))
            at = covered.at or at
            self.report.seals += 1
            yield covered
        self.report.last_seal, self.report.last_sha256 = before.number, before.sha256
        self.report.sealed_until = at.astimezone(UTC).isoformat(timespec="milliseconds") if at else ""
        if self.anchor and self.anchor[0] > before.number:
            self.report.found("anchor", f"seal {self.anchor[0]}", f"the chain ends with seal {before.number}")

    def _judged(self, row: Any, before: Head, before_at: datetime | None) -> Covered:
        number, about = row["number"], f"seal {row['number']}"
        leaves = list(unpacked(row["leaves"]))
        told = Head(
            number, row["skipped"], row["rows"], row["first"], row["last"], row["root"], row["previous"]
        )  # fmt: skip
        found = examine(row["jws"], payload(self.service, told), SEAL, self.keys)
        for reason in found.reasons:
            kind = (
                "seal-key"
                if reason in _KEY_REASONS
                else "seal-changed"
                if reason == "payload-differs"
                else "seal-signature"
            )
            self.report.found(kind, about, f"{reason}, key {found.kid}" if kind == "seal-key" else reason)
        ids = [row_id for row_id, _ in leaves]
        if (len(ids), root([digest for _, digest in leaves]).hex()) != (told.rows, told.root) or (
            (ids[0], ids[-1]) != (told.first, told.last) if ids else True
        ):
            self.report.found("seal-changed", about, "its list of rows does not make its root")
        self._follows(told, found.previous, before)
        if found.at and before_at and found.at < before_at - _CLOCKS_DIFFER:
            back = (before_at - found.at).total_seconds()
            self.report.found("seal-dated-back", about, f"{back:.0f} s before seal {before.number}")
        self._anchored(told, before, jws_sha256(row["jws"]))
        return Covered(number, found.at, leaves)

    def _follows(self, told: Head, signed_previous: str, before: Head) -> None:
        """Numbers without a gap but for those a restore left out, hashes without a break."""
        first_missing, last_missing = before.number + 1, told.number - 1 - told.skipped
        if last_missing >= first_missing:
            several = (
                f"seals {first_missing} to {last_missing}" if last_missing > first_missing else f"seal {first_missing}"
            )
            self.report.found("seal-missing", several, f"seal {told.number} comes after seal {before.number}")
        elif told.previous != before.sha256 or signed_previous != before.sha256:
            self.report.found(
                "seal-chain", f"seal {told.number}", f"it names another hash than seal {before.number} has"
            )
        if told.skipped:
            left_out = f"seals {told.number - told.skipped} to {told.number - 1}"
            self.report.found("restored", left_out)

    def _anchored(self, told: Head, before: Head, sha256: str) -> None:
        if self.anchor is None:
            return
        number, kept = self.anchor
        if number == told.number and kept != sha256:
            self.report.found("anchor", f"seal {number}", "another seal stands under its number")
        elif before.number < number < told.number:
            lost = number >= told.number - told.skipped
            self.report.found("restored" if lost else "anchor", f"seal {number}", "kept outside, gone here")
