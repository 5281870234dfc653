"""The resources that a search answers beside its matches: round by round, bounded, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import refusal
from slipring.fhir.search import wording
from slipring.fhir.search.condition import Condition
from slipring.fhir.search.include import Include
from slipring.fhir.sight import within
from slipring.fhir.store.including import referred, referring
from slipring.fhir.store.reading import Reader, Row

# An include is part of a search and found by one, here and over services: it needs what a search of its type needs.
INCLUDING = "s"
_MOST = 1000
_ROUNDS = 10


def checked(kernel: Kernel, context: Context, includes: Sequence[Include]) -> None:
    """400 for types that are not kept here, 403 for types that the caller may not search."""
    kept = [keeps.type for keeps in kernel.service.keeps]
    for include in includes:
        name = "_revinclude" if include.reverse else "_include"
        for wanted in (include.source, include.target):
            if wanted and wanted not in kept:
                raise wording.not_held(name, wanted, kept)
        given = include.given(kept)
        if not given and include.code != "*":
            targets = {target for parameter in include.parameters(kept) for target in parameter.targets}
            raise wording.not_held(name, next(iter(sorted(targets)), ""), kept)
        for one in sorted(given):
            context.demand(one, INCLUDING)


async def included(
    kernel: Kernel, context: Context, reader: Reader, matches: Sequence[Row], includes: Sequence[Include]
) -> list[Row]:
    """What the includes add to a page of matches: own resources that the caller may search, never a followed copy."""
    kept = within(kernel, context, [keeps.type for keeps in kernel.service.keeps], INCLUDING)
    seen = {row.key for row in matches}
    found: list[Row] = []
    latest: Sequence[Row] = matches
    asked = list(includes)
    for _ in range(_ROUNDS):
        added = [row for include in asked for row in await _followed(reader, include, latest, kept, seen)]
        found += added
        if len(found) > _MOST:
            raise refusal(
                400,
                "too-costly",
                f"More than {_MOST} resources would be included; ask for fewer matches by _count.",
                f"附带的资源超过 {_MOST} 个；请用 _count 减少每页数量。",
                at="http._include",
                detail="kernel.more-than-resources-would-included",
            )
        latest = added
        asked = [include for include in includes if include.iterate]
        if not added or not asked:
            return found
    raise refusal(
        400,
        "too-costly",
        f"The includes lead further than {_ROUNDS} steps.",
        f"_include 超过 {_ROUNDS} 层。",
        at="http._include",
        detail="kernel.includes-lead-further-than-steps",
    )


async def _followed(
    reader: Reader, include: Include, rows: Sequence[Row], kept: Mapping[str, tuple[Condition, ...]], seen: set[int]
) -> list[Row]:
    """One include over one round of resources; what it finds counts as seen from now on."""
    follow = referring if include.reverse else referred
    ends = include.target if include.reverse else include.source
    starting = [row for row in rows if ends in ("", row.type)]
    if not starting:
        return []
    given = {kind: kept[kind] for kind in sorted(include.given(kept.keys()))}
    added = await follow(reader, starting, include.parameters(kept), given, seen, _MOST + 1)
    seen.update(row.key for row in added)
    return added
