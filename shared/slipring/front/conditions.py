"""Conditions on types that several services keep: where the write goes, so that the condition holds over all of them.

The condition is held alone (`deciding`), every keeper is searched, and the write goes to whoever has the one match;
when nobody has, to whoever the content belongs to. There it is decided again under the keeper's own lock, so what was
found here may be stale and the answer is still right. More than one match over all keepers is 412.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, tzinfo
from urllib.parse import parse_qsl, urlencode

from slipring.fhir.outcome import FhirError, Issue, invalid, refusal
from slipring.fhir.search.criteria import parse
from slipring.front.bounds import Bounds
from slipring.front.crossing import Pairs
from slipring.front.deciding import Deciding
from slipring.front.exchange import Exchange
from slipring.front.owners import Owners
from slipring.front.resolving import Steps, search_once


@dataclass(frozen=True, slots=True)
class Condition:
    """Criteria that a write depends on, as each keeper can judge them alone; `at`: where they stand in a Bundle."""

    type: str
    pairs: tuple[tuple[str, str], ...]
    spelled: str  # one spelling for all conditions that ask the same
    at: str = ""

    @property
    def query(self) -> str:
        """The criteria as they stand behind the question mark."""
        return urlencode(self.pairs)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Decides where conditional writes go."""

    owners: Owners
    bounds: Bounds
    deciding: Deciding
    zone: tzinfo = UTC

    async def read(self, exchange: Exchange, kept_type: str, query: str, at: str = "") -> Condition:
        """The condition behind a query string, its steps over services taken; one that says nothing is 400."""
        try:
            pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
            criteria = parse(kept_type, pairs, zone=self.zone, types=self.owners.types)
            pairs = await Steps(exchange, self.owners, self.bounds, self.zone).rewritten(kept_type, pairs)
        except FhirError as error:
            issues = [Issue(i.code, i.zh, i.en, at or i.at, i.severity, i.detail) for i in error.issues]
            raise FhirError(error.status, issues, error.headers) from error
        except ValueError:
            raise invalid(
                "The condition is not percent-encoded UTF-8.",
                "条件不是百分号编码的 UTF-8。",
                at=at,
                detail="front.condition-not-percent-encoded-utf",
            ) from None
        if not criteria.clauses:
            raise invalid(
                "The condition names no search criteria.",
                "条件未给出检索参数。",
                at=at,
                detail="front.condition-empty",
            )
        return Condition(kept_type, tuple(pairs), criteria.canonical(), at)

    @asynccontextmanager
    async def held(self, exchange: Exchange, conditions: list[Condition]) -> AsyncIterator[list[str | None]]:
        """For each condition the keeper of its one match, None when nothing matches; while held, nobody else decides."""
        async with self.deciding.alone([condition.spelled for condition in conditions]):
            found: dict[str, str | None] = {}
            for condition in conditions:
                if condition.spelled not in found:
                    found[condition.spelled] = await self._holder(exchange, condition)
            yield [found[condition.spelled] for condition in conditions]

    async def _holder(self, exchange: Exchange, condition: Condition) -> str | None:
        keepers = self.owners.keepers_of(condition.type)
        pairs: Pairs = [*condition.pairs, ("_count", "2")]
        answers = await asyncio.gather(*(search_once(exchange, keeper, condition.type, pairs) for keeper in keepers))
        holders = [keeper for keeper, (entries, _) in zip(keepers, answers, strict=True) for _ in entries]
        if len(holders) > 1:
            raise _several(condition)
        return holders[0] if holders else None


def _several(condition: Condition) -> FhirError:
    return refusal(
        412,
        "multiple-matches",
        f"Several {condition.type} resources meet the condition.",
        f"有多个 {condition.type} 资源符合条件。",
        at=condition.at,
        detail="front.condition-ambiguous",
    )
