"""Own targets of indicators: drafted by one person, in force once a second one approves, kept as Measures beside the shipped ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from slipring.fhir.outcome import FhirError, Issue, conflict, forbidden, unprocessable
from slipring.fhir.search.moment import moment
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored
from slipring.measuring.asking import Question
from slipring.measuring.spelling import TARGET_OF, english, measure_url, target_extension, target_in
from slipring.qc.indicators.definition import Definition, Target
from slipring.staff import may
from slipring.staff.two_people import drafter, signed

_SIDES = ("least", "most")
_APPROVED = ("active", "retired")
_LONGEST_REASON = 500
_HIGHEST = 1e6  # of a value in its unit; a share is one at most
_LAST_DAY = date(2999, 12, 31)
_HELD = f"Measure?identifier={TARGET_OF}|"


async def proposed(definition: Definition, call: Call, desk: Desk) -> Changes:
    """A draft of a target; nothing is held against it until a second person approves it."""
    person = _in_person(desk)
    value, at, reason = call.value("value"), str(call.value("at") or ""), str(call.value("reason") or "").strip()
    most, (en, zh) = _highest(definition)
    if not 0 <= float(value) <= most:
        raise _wrong(
            call, "value", f"A target of this indicator is from 0 to {en}.", f"该指标的目标值须在 0 至 {zh}之间。"
        )
    if at not in _SIDES:
        raise _wrong(
            call,
            "at",
            "A target is reached at least or at most (least, most).",
            "目标方向须为 least（不低于）或 most（不高于）。",
        )
    if not reason or len(reason) > _LONGEST_REASON:
        raise _wrong(call, "reason", "Say why, in 500 characters at most.", "请说明理由，不超过 500 字。")
    draft = _as_draft(definition, Target(float(value), at, reason, "A"), desk) | _beginning(call, desk)
    draft["extension"] = signed(draft, person)
    return Changes(save=[Save(draft)], answer=draft)


async def approved(definition: Definition, call: Call, desk: Desk) -> Changes:
    """A draft in force from its day on, from now on at the earliest; the one before it ends then."""
    draft, person = await _drafted(definition, call, desk), _in_person(desk)
    if person == drafter(draft.resource):
        raise forbidden(
            "Whoever drafted a target does not approve it.",
            "起草人不得自行批准目标。",
            at=call.at("draft"),
            detail="measuring.target-second-person",
        )
    await _demand(person, desk)
    # What was judged before stays judged: a target is in force from its approval on at the earliest.
    given = moment(draft.resource.get("effectivePeriod", {}).get("start"), _zone(desk))
    start = max(given or desk.now, desk.now)
    active = {
        **draft.resource,
        "status": "active",
        "approvalDate": desk.now.astimezone(_zone(desk)).date().isoformat(),
        "effectivePeriod": {"start": _written(start)},
        "extension": signed(draft.resource, drafter(draft.resource), person),
    }
    ended = [_ended(one, start, desk) for one in await _held(definition, desk) if one.resource["status"] == "active"]
    return Changes(save=[*ended, Save(active, replaces=draft.version)], answer=active)


async def withdrawn(definition: Definition, call: Call, desk: Desk) -> Changes:
    """A draft taken back by whoever drafted it or somebody who could approve it; its versions stay."""
    draft, person = await _drafted(definition, call, desk), _in_person(desk)
    if person != drafter(draft.resource):
        await _demand(person, desk)
    return Changes(save=[Save(draft.resource, replaces=draft.version, delete=True)], answer=draft.resource)


async def _drafted(definition: Definition, call: Call, desk: Desk) -> Stored:
    """The draft that a call names."""
    said = call.value("draft")
    name = str(said.get("reference", "")) if isinstance(said, dict) else ""
    draft = await desk.read(name) if name.startswith("Measure/") else None
    if draft is None or draft.resource.get("status") != "draft" or not _is_of(draft.resource, definition):
        raise _wrong(call, "draft", "This is no draft of a target of this indicator.", "这不是该指标的目标草稿。")
    return draft


async def with_targets(definitions: Sequence[Definition], asked: Question, desk: Desk) -> list[Definition]:
    """The definitions, each with the target that was in force at the end of what is asked; the shipped one where none was."""
    held = [one.resource for one in await desk.search(f"{_HELD}&status=active,retired") if not one.source]
    own = in_force(held, asked.until, asked.zone)
    return [replace(one, target=target_in(own[one.id])) if one.id in own else one for one in definitions]


def in_force(targets: Iterable[Resource], until: datetime, zone: tzinfo) -> dict[str, Resource]:
    """By indicator, the approved target that was in force just before a moment: of several the one that began last."""
    found: dict[str, tuple[datetime, Resource]] = {}
    for one in targets:
        period: Mapping[str, str] = one.get("effectivePeriod", {})
        start, end = moment(period.get("start"), zone), moment(period.get("end"), zone)
        name = indicator_of(one)
        if one.get("status") not in _APPROVED or target_in(one) is None or start is None:
            continue
        if start >= until or (end is not None and end < until):
            continue
        if name not in found or found[name][0] < start:
            found[name] = start, one
    return {name: one for name, (_, one) in found.items()}


def indicator_of(measure: Resource) -> str:
    """The indicator that a target of the department is of; empty for any other Measure."""
    return next(
        (str(one.get("value", "")) for one in measure.get("identifier", []) if one.get("system") == TARGET_OF), ""
    )


def demand_by_operation(*resources: Resource) -> None:
    """409 for a target that is written, changed or deleted other than by proposing and approving it."""
    if any(indicator_of(one) for one in resources):
        raise conflict(
            "A target is proposed by $propose-target, approved by $approve-target and withdrawn by $withdraw-target.",
            "目标须由 $propose-target 提出、$approve-target 批准、$withdraw-target 撤回。",
            at="Measure.identifier",
            detail="measuring.target-by-operation",
        )


def _highest(definition: Definition) -> tuple[float, tuple[str, str]]:
    """The highest target and its words; a share is said as people say it too."""
    if definition.scoring == "continuous":
        return _HIGHEST, (f"{_HIGHEST:,.0f} {definition.unit}", f"{_HIGHEST:,.0f} {definition.unit} ")
    return 1, ("1 (0 % to 100 %)", "1（0% 至 100%）")


def _beginning(call: Call, desk: Desk) -> Resource:
    """From which day on, where one is named: no day that is over, for what was judged stays judged."""
    said, zone = call.value("start"), _zone(desk)
    if said is None:
        return {}
    try:
        day = date.fromisoformat(str(said))
    except ValueError:
        day = date.min
    if not desk.now.astimezone(zone).date() <= day <= _LAST_DAY:
        raise _wrong(
            call,
            "start",
            "A target begins today or on a whole day to come.",
            "目标须自今日或之后的某一整日起生效。",
        )
    return {"effectivePeriod": {"start": _written(datetime.combine(day, time.min, zone))}}


def _ended(one: Stored, at: datetime, desk: Desk) -> Save:
    """The one in force until then; one that would begin only after that never does."""
    period = one.resource["effectivePeriod"]
    begun = moment(period["start"], _zone(desk))
    end = max(at, begun) if begun else at
    ended = {**one.resource, "status": "retired", "effectivePeriod": {**period, "end": _written(end)}}
    return Save(ended, replaces=one.version)


def _zone(desk: Desk) -> ZoneInfo:
    return ZoneInfo(desk.settings.time_zone)  # what every service's settings have


def _written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def _as_draft(definition: Definition, target: Target, desk: Desk) -> Resource:
    return {
        "resourceType": "Measure",
        "id": desk.new_id(),
        "extension": [target_extension(target)],
        "language": "zh-CN",
        "identifier": [{"system": TARGET_OF, "value": definition.id}],
        "title": definition.name.zh,
        "_title": english(definition.name),
        "status": "draft",
        "date": desk.now.astimezone(_zone(desk)).date().isoformat(),
        "relatedArtifact": [{"type": "derived-from", "resource": f"{measure_url(definition)}|{definition.version}"}],
    }


async def _held(definition: Definition, desk: Desk) -> list[Stored]:
    return [one for one in await desk.search(f"{_HELD}{definition.id}") if not one.source]


def _is_of(measure: Resource, definition: Definition) -> bool:
    return indicator_of(measure) == definition.id


def _in_person(desk: Desk) -> str:
    if not desk.caller.practitioner:
        raise forbidden(
            "A target is drafted and approved by persons who are signed in.",
            "目标须由本人登录起草和批准。",
            at="Measure",
            detail="measuring.target-person",
        )
    return desk.caller.practitioner


async def _demand(person: str, desk: Desk) -> None:
    held = await desk.read(person)
    roles = [one.resource for one in await desk.search(f"PractitionerRole?practitioner={person}")]
    lacks = may("approve-limits", held.resource if held else None, roles, desk.now, zone=desk.settings.time_zone)
    if lacks:
        raise FhirError(
            403,
            [
                Issue("forbidden", zh=one.zh, en=one.en, at="Measure.status", detail=f"staff.{one.code}")
                for one in lacks
            ],
        )


def _wrong(call: Call, name: str, en: str, zh: str) -> FhirError:
    return unprocessable(en, zh, at=call.at(name), code="value", detail="measuring.target")
