"""What stands around a report's content when it is read: whose it is, who asked, who signed, and in which state it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from slipring.fhir.search.moment import zoned
from slipring.fhir.service import Desk, Resource
from slipring.staff.facts import TITLE_SYSTEM, titles

from slipring_report.amending.amendment import amendment_of
from slipring_report.reading import reference_of, request_of
from slipring_report.vocabulary import AMENDMENT_REASON, codes_of

_TITLES = {"male": "男 male", "female": "女 female", "other": "其他 other", "unknown": "不详 unknown"}


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature as a reader is shown it."""

    who: str
    role: str
    level: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Frame:
    """The head and the foot of a sheet: labels of `data/sections.toml` with what is said of each."""

    department: str
    person: tuple[tuple[str, str], ...]  # on every page
    exam: tuple[tuple[str, str], ...]
    signatures: tuple[tuple[str, str, str, str], ...]  # role, name, title and level, time
    standing: tuple[str, ...] = ()  # in large words, when it is no plain final report


async def frame_of(
    report: Resource, signatures: Sequence[Signed], desk: Desk, *, standing: Sequence[str] = ()
) -> Frame:
    """Read the patient, the request and the signers as they are known now."""
    zone = ZoneInfo(desk.settings.time_zone)
    request = await desk.read(request_of(report))
    patient = await desk.read(reference_of(report.get("subject")))
    asked = request.resource if request else {}
    held = patient.resource if patient else {}
    person = (
        ("name", _name(held) or str(report.get("subject", {}).get("display", ""))),
        ("sex", _TITLES.get(str(held.get("gender", "")), "")),
        ("born", str(held.get("birthDate", ""))),
        ("number", _identifier(held, "MR") or next(iter(_values(held)), "")),
        ("imaging-number", _identifier(asked, "ACSN")),
    )
    performed = str(report.get("effectiveDateTime") or report.get("effectivePeriod", {}).get("start", ""))
    exam = (
        ("requester", await called(reference_of(asked.get("requester")), desk)),
        ("effective", local(performed, zone)),
    )
    signed = [await _signed(each, desk, zone) for each in signatures]
    kept_person = tuple((label, value) for label, value in person if value)
    kept_exam = tuple((label, value) for label, value in exam if value)
    said = (*standing, *_amends(report, zone))
    return Frame(desk.settings.department_name, kept_person, kept_exam, tuple(signed), said)


async def _signed(each: Signed, desk: Desk, zone: ZoneInfo) -> tuple[str, str, str, str]:
    held = await desk.read(each.who)
    person = held.resource if held else {}
    codes = [
        coding.get("code")
        for entry in person.get("qualification", [])
        for coding in entry.get("code", {}).get("coding", [])
        if coding.get("system") == TITLE_SYSTEM
    ]
    known = [titles()[code] for code in codes if code in titles()]
    title = " ".join(f"{one.zh} {one.en}" for one in known[:1])
    level = each.level.removeprefix("level-").upper()
    return (
        each.role,
        _name(person) or each.who,
        " · ".join(filter(None, (title, level and f"{level} 级 level {level}"))),
        f"{each.at.astimezone(zone):%Y-%m-%d %H:%M}",
    )


def _amends(report: Resource, zone: ZoneInfo) -> list[str]:
    """That it is a revised version, of which one and why (ISO 15189:2012 5.9.3 a)."""
    amendment = amendment_of(report)
    if amendment is None:
        return []
    kinds = {"amended": "修改 amended", "corrected": "更正 corrected", "appended": "补充 appended"}
    known = codes_of(AMENDMENT_REASON)
    code = next((str(one.get("code")) for one in amendment.reason.get("coding", [])), "")
    why = f"{known[code]['zh']} {known[code]['en']}" if code in known else ""
    return [f"{kinds[amendment.kind]} · 取代第 {amendment.version} 版 replaces version {amendment.version} · {why}"]


async def called(reference: str, desk: Desk) -> str:
    """The name of a person or of who fills a role, as known here; '' where it is not."""
    held = await desk.read(reference) if reference else None
    if held and held.resource["resourceType"] == "PractitionerRole":
        held = await desk.read(reference_of(held.resource.get("practitioner")))
    return _name(held.resource) if held else ""


def _name(person: Resource) -> str:
    for name in person.get("name", []) if isinstance(person.get("name"), list) else []:
        written = name.get("text") or "".join([str(name.get("family", "")), *map(str, name.get("given", []))])
        if written:
            return str(written)
    return ""


def _identifier(resource: Resource, code: str) -> str:
    return next(
        (
            str(each["value"])
            for each in resource.get("identifier", [])
            if "value" in each and any(c.get("code") == code for c in each.get("type", {}).get("coding", []))
        ),
        "",
    )


def _values(resource: Resource) -> list[str]:
    return [str(each["value"]) for each in resource.get("identifier", []) if "value" in each]


def local(text: object, zone: ZoneInfo, form: str = "%Y-%m-%d %H:%M") -> str:
    """A moment by the department's clock; a day, and what no zone can hold, as it is written; '' for nothing."""
    moment = zoned(text)
    try:
        return f"{moment.astimezone(zone):{form}}" if moment else str(text or "")
    except OverflowError:
        return str(text)
