"""One function decides whether a person may do an act now, and why not."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from slipring.fhir.service import Resource
from slipring.staff.facts import DEPARTMENT_ZONE, StaffFacts, register, staff_facts

_READINESS = "CL02-A011:5.1.6"
COMPETENCE = "competence"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is missing, in both languages, with the clause that asks for it."""

    code: str
    zh: str
    en: str
    clause: str


class UnknownAct(LookupError):
    """The act is not in acts.toml."""


def may(
    act: str,
    practitioner: Resource | None,
    roles: Sequence[Resource],
    at: datetime,
    *,
    zone: str = DEPARTMENT_ZONE,
) -> list[Reason]:
    """Why this person may not do the act at this moment; empty when he may."""
    return missing(act, staff_facts(practitioner, roles, at, zone=zone))


def missing(act: str, staff: StaffFacts) -> list[Reason]:
    """What a person lacks for an act; of several ways the one that lacks least is explained."""
    described = acts().get(act)
    if described is None:
        raise UnknownAct(act)
    clause = described["clause"]
    if not staff.known:
        return [Reason("unknown-person", "未登记的人员。", "The person is not on the staff register.", clause)]
    if not staff.active:
        return [Reason("not-active", "该人员已停用。", "The person is no longer active.", clause)]
    ways = [{"duty": described.get("duty", ""), **way} for way in described["ways"]]
    return min((list(_lacking(way, staff, clause)) for way in ways), key=len)


@cache
def acts() -> Mapping[str, Mapping[str, Any]]:
    """Every act by its code, with its names, its clause and the ways to be allowed it."""
    with Path(__file__).with_name("acts.toml").open("rb") as file:
        return dict(tomllib.load(file)["acts"])


def _lacking(way: Mapping[str, Any], staff: StaffFacts, clause: str) -> Iterator[Reason]:
    yield from _lacking_title(way, staff, clause)
    if "years" in way and staff.years_of(way["years_of"]) < way["years"]:
        name = register()["qualifications"][way["years_of"]]
        yield Reason(
            f"years-of-{way['years_of']}",
            f"{name['zh']}未满 {way['years']} 年。",
            f"Fewer than {way['years']} years of {name['en']}.",
            clause,
        )
    for code in way.get("certificates", ()):
        name = register()["qualifications"][code]
        if not staff.holds(code, needs_end=name.get("needs_end", False)):
            yield Reason(code, f"缺少有效的{name['zh']}。", f"No valid {name['en']}.", name["clause"])
    if "roles" in way and not staff.roles & set(way["roles"]):
        names = [register()["roles"][role] for role in way["roles"]]
        yield Reason(
            "role",
            f"需要以下角色之一：{'、'.join(name['zh'] for name in names)}。",
            f"One of these roles is needed: {', '.join(name['en'] for name in names)}.",
            clause,
        )
    for role in sorted(staff.roles & set(way.get("barred", ()))):
        name = register()["roles"][role]
        yield Reason(role, f"{name['zh']}人员不得独立进行。", f"Not alone by somebody who is a {name['en']}.", clause)
    if way["duty"]:
        yield from _not_ready(way, staff)


def _lacking_title(way: Mapping[str, Any], staff: StaffFacts, clause: str) -> Iterator[Reason]:
    if "series" not in way:
        return
    series = register()["series"][way["series"]]
    rank = staff.rank_in(way["series"])
    if rank == 0:
        yield Reason("series", f"不是{series['zh']}系列。", f"Not a {series['en']}.", clause)
    elif rank < way.get("rank", 0):
        yield Reason(
            "rank",
            f"职称级别 {rank} 低于要求的 {way['rank']}。",
            f"The title's rank {rank} is below the {way['rank']} that is needed.",
            clause,
        )


def _not_ready(way: Mapping[str, Any], staff: StaffFacts) -> Iterator[Reason]:
    """What keeps a person from his duty today: a suspension, a leave, or a return without training and assessment."""
    stopped = staff.since("suspension")
    if stopped is not None and not (_trained(staff, stopped) and _assessed(staff, stopped)):
        zh, en = "授权已暂停，须再培训并重新评估。", "Suspended until trained and assessed anew."
        yield Reason("suspension", zh, en, _READINESS)
    if staff.absent:
        yield Reason("absent", "该人员正在休假或离岗。", "The person is on leave.", _READINESS)
    back = staff.back_since(way["duty"], months=register()["readiness"]["away_months"])
    if back is None or COMPETENCE not in way.get("certificates", ()):
        return
    zh, en = ("离岗六个月以上", "six months or more away") if back.after == "away" else ("岗位变更", "a change of duty")
    if not _trained(staff, back.on):
        yield Reason("re-training", f"{zh}后未再培训。", f"Not trained again after {en}.", _READINESS)
    if staff.holds(COMPETENCE, needs_end=True) and not _assessed(staff, back.on):
        yield Reason("re-assessment", f"{zh}后未重新评估。", f"Not assessed again after {en}.", _READINESS)


def _trained(staff: StaffFacts, since: date) -> bool:
    return any(
        staff.holds(code, since=since) for code, kept in register()["qualifications"].items() if "training" in kept
    )


def _assessed(staff: StaffFacts, since: date) -> bool:
    return staff.holds(COMPETENCE, needs_end=True, since=since)
