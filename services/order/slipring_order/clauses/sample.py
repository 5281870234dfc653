"""The assessor's sample: cases of all systems that fill the quotas of Annex A, drawn by a seed; the drawing is pure."""

from __future__ import annotations

import asyncio
import hashlib
import tomllib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

from slipring.clauses.register import Words
from slipring.fhir.service import Evidence
from slipring.verdicts.looking import Judged, Look
from slipring.verdicts.verdict import Breach

from slipring_order.catalogue import SYSTEMS, Exam, exam_of
from slipring_order.clauses.exams import told_of_exam
from slipring_order.reading import codes


@dataclass(frozen=True, slots=True)
class Case:
    """One performed exam that may be drawn."""

    task: str  # Task/...
    request: str  # ServiceRequest/...
    kind: str  # a quota: plain | enhanced
    part: str
    systems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn, and what of the quotas could not be filled."""

    cases: tuple[Case, ...]
    lacking: tuple[Words, ...]


def draw(cases: Sequence[Case], seed: str, systems: Sequence[str] = SYSTEMS) -> Drawn:
    """Of each kind as many cases as its quota, over as many parts and systems as there are; the same seed draws the same.

    Cases stand in the order of SHA-256 over seed and reference. Each turn takes the first case of the part and of the
    systems that were drawn least so far: a rare part is not drowned by a common one. Of those that are alike in both only
    the first can be its turn: the time is that of the sorting.
    """
    drawn: list[Case] = []
    lacking: list[Words] = []
    for kind, quota in quotas().items():
        alike: dict[tuple[str, tuple[str, ...]], deque[tuple[str, Case]]] = {}
        for lot, one in sorted(((_lot(seed, one.task), one) for one in cases if one.kind == kind), key=itemgetter(0)):
            alike.setdefault((one.part, one.systems), deque()).append((lot, one))
        taken: list[Case] = []
        while alike and len(taken) < quota["cases"]:
            group = min(alike, key=lambda group: (*_times(alike[group][0][1], drawn, taken), alike[group][0][0]))
            _, best = alike[group].popleft()
            if not alike[group]:
                del alike[group]
            taken.append(best)
            drawn.append(best)
        parts = len({one.part for one in taken if one.part})
        if len(taken) < quota["cases"]:
            lacking.append(
                _short(quota, f"{len(taken)}/{quota['cases']} 例", f"{len(taken)} of {quota['cases']} cases")
            )
        if parts < quota["parts"]:
            lacking.append(_short(quota, f"{parts}/{quota['parts']} 个部位", f"{parts} of {quota['parts']} parts"))
    shown = {system for one in drawn for system in one.systems}
    lacking += [Words(f"系统 {one}：无病例", f"system {one}: no case") for one in systems if one not in shown]
    return Drawn(tuple(drawn), tuple(lacking))


async def sample(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Whether the quotas of Annex A can be filled from the exams of the period."""
    cases = await cases_of(look, counted)
    lacking = (await asyncio.to_thread(draw, cases, str(look.period))).lacking if cases else ()
    return Judged([Breach("", one, "absent") for one in lacking], len(cases))


async def cases_of(look: Look, counted: Sequence[Evidence]) -> list[Case]:
    """The performed exams with what the catalogue says of them; one that it does not know is not drawn."""
    asked = [look.told(one, told_of_exam).request async for one in look.spread(counted)]
    requests = await look.each("ServiceRequest?_id", (request.partition("/")[2] for request in asked))
    exams = {
        one.stored.reference: exam_of(codes(one.stored.resource.get("code"))) async for one in look.spread(requests)
    }
    found = []
    async for one, request in look.spread(zip(counted, asked, strict=True)):
        exam = exams.get(request)
        if exam is not None:
            found.append(Case(one.stored.reference, request, _kind(exam), exam.place, exam.systems))
    return found


@cache
def quotas() -> Mapping[str, Mapping[str, Any]]:
    """The quotas by kind."""
    tree = tomllib.loads(Path(__file__).with_name("quotas.toml").read_text("utf-8"))
    return dict(tree["quota"])


def _kind(exam: Exam) -> str:
    return "enhanced" if exam.contrast else "plain"


def _times(case: Case, drawn: Sequence[Case], taken: Sequence[Case]) -> tuple[int, int]:
    """How often one of its systems was drawn, and among those of its kind its part."""
    of_system = min((sum(system in one.systems for one in drawn) for system in case.systems), default=len(drawn))
    return of_system, sum(one.part == case.part for one in taken)


def _lot(seed: str, name: str) -> str:
    return hashlib.sha256(f"{seed}\n{name}".encode()).hexdigest()


def _short(quota: Mapping[str, Any], zh: str, en: str) -> Words:
    return Words(f"{quota['zh']}：{zh}", f"{quota['en']}: {en}")
