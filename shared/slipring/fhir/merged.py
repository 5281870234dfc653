"""Records of one person: what the HIS has merged by Patient.link counts as one, and no resource is rewritten.

A merge stands as long as either record says so (`replaced-by` on one, `replaces` on the other); an unmerge takes the
links away again. `seealso` and `refer` are no merge.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from slipring.fhir.caller import Caller
from slipring.fhir.search.condition import AllOf, AnyOf, Chain, Clause, Condition
from slipring.fhir.search.criteria import Criteria
from slipring.fhir.search.values import ReferenceValue, TokenValue
from slipring.fhir.service import Ahead, Desk

_MERGING = frozenset({"replaced-by", "replaces"})
_MOST = 50  # records of one person that are followed; nobody has more


def linked(patient: Mapping[str, Any]) -> frozenset[str]:
    """The records that a Patient says are the same person, as `Patient/id`."""
    named = (
        str(link.get("other", {}).get("reference", "")).partition("/_history/")[0]
        for link in patient.get("link", [])
        if link.get("type") in _MERGING
    )
    cut = ("/".join(one.split("/")[-2:]) for one in named)
    return frozenset(one for one in cut if one.startswith("Patient/"))


async def merge_set(patient: str, desk: Desk) -> frozenset[str]:
    """All records of the person behind `Patient/id`, that one included, over any number of merges."""
    return await records_of([patient], desk)


async def records_of(patients: Collection[str], desk: Desk) -> frozenset[str]:
    """All records of these people, by one look for each step of merging."""
    found, asked = set(patients), set[str]()
    most = _MOST * len(found)
    while (waiting := sorted(found - asked)) and len(found) <= most:
        asked.update(waiting)
        await desk.foresee(Ahead(waiting, [sought_links(waiting)]))
        for reference in waiting:
            stored = await desk.read(reference)
            found |= linked(stored.resource) if stored else set()
        for stored in await desk.search(sought_links(waiting)):
            if linked(stored.resource) & asked:
                found.add(stored.reference)
    return frozenset(found)


def sought_links(patients: Sequence[str]) -> str:
    """The search for the records that say they are the same person as one of these."""
    return f"Patient?link={','.join(patients)}"


async def with_records(caller: Caller, desk: Desk) -> Caller:
    """The caller with all records of the patient whom its token is about; others are as they were."""
    if caller.patient is None:
        return caller
    own = f"Patient/{caller.patient}"
    others = sorted(await merge_set(own, desk) - {own})
    return replace(caller, also=tuple(one.removeprefix("Patient/") for one in others))


async def of_all_records(criteria: Criteria, desk: Desk) -> Criteria:
    """A search that names patients asks for all records of those people; one for Patients stays as it is.

    They are named by reference (`patient=`), or by a number of theirs (`patient.identifier=`, `subject:Patient.identifier=`).
    """
    if criteria.type == "Patient":
        return criteria
    return replace(criteria, clauses=tuple([await _widened(one, desk) for one in criteria.clauses]))


async def _widened(condition: Condition, desk: Desk) -> Condition:
    if isinstance(condition, Clause):
        return await _of_records(condition, desk)
    if isinstance(condition, AnyOf | AllOf):
        return replace(condition, conditions=tuple([await _widened(one, desk) for one in condition.conditions]))
    if not isinstance(condition, Chain):
        return condition
    if condition.type != "Patient":
        return replace(condition, condition=await _widened(condition.condition, desk))
    numbers = _numbers(condition.condition)
    found = {one.reference for one in await desk.search(f"Patient?identifier={quote(numbers)}")} if numbers else set()
    others = sorted(await records_of(found, desk) - found) if found else []
    if not others:
        return condition
    named = tuple(ReferenceValue("Patient", one.removeprefix("Patient/")) for one in others)
    by_name = Clause(condition.parameter, condition.parameter.family, condition.parameter.keys, "", named)
    return AnyOf((condition, by_name))


def _numbers(condition: Condition) -> str:
    """The numbers that a condition on Patients asks for, as `identifier=` takes them; '' where it asks for anything else."""
    if not isinstance(condition, Clause) or condition.parameter.code != "identifier" or condition.modifier:
        return ""
    asked = [one for one in condition.values if isinstance(one, TokenValue) and one.code]
    if len(asked) != len(condition.values) or condition.keys != condition.parameter.keys:
        return ""  # all numbers of a system: that is nobody in particular
    return ",".join(_as_asked(one) for one in asked)


def _as_asked(number: TokenValue) -> str:
    system = "" if number.system is None else f"{_escaped(number.system)}|"
    return f"{system}{_escaped(number.code or '')}"


def _escaped(text: str) -> str:
    """As a search takes it literally (FHIR R4, search, escaping)."""
    return re.sub(r"([\\,|$])", r"\\\1", text)


async def _of_records(clause: Clause, desk: Desk) -> Clause:
    if clause.family != "reference" or clause.modifier not in ("", "not"):
        return clause
    named = {f"Patient/{one.id}" for one in clause.values if isinstance(one, ReferenceValue) and _may_be(one, clause)}
    others = sorted(await records_of(named, desk) - named) if named else []
    more = [ReferenceValue("Patient", one.removeprefix("Patient/")) for one in others]
    return replace(clause, values=(*clause.values, *more))


def _may_be(value: ReferenceValue, clause: Clause) -> bool:
    """Whether it may name a patient: a bare id does wherever patients are referred to."""
    return value.type == "Patient" or (value.type is None and "Patient" in clause.parameter.targets)


def any_of(patients: frozenset[str]) -> str:
    """The records as the value of a search parameter: `Patient/o-1,Patient/o-2`."""
    return ",".join(sorted(patients))
