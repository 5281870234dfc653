"""An indicator's own targets as its page shows them: which one is in force, what came before it, what waits. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal

from slipring.department.road import Tree
from slipring.fhir.search.moment import moment
from slipring.measuring.spelling import target_in
from slipring.measuring.targets import in_force
from slipring.qc.indicators.definition import Definition, Target
from slipring.staff.two_people import approver, drafter

FIELDS = {name: name for name in ("value", "at", "start", "reason")}  # of the form, as $propose-target calls them
_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,4})?", re.ASCII)  # a target is kept to six places of a share
_NO_NUMBER = ("请填写一个数，至多四位小数。", "Give a number, with four decimal places at most.")
_NO_REASON = ("请说明理由。", "Say why.")
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class OwnTarget:
    """One target that the department drafted."""

    id: str
    target: Target
    state: str  # draft | to-come | in-force | over | never
    start: datetime | None
    drafted_by: str
    drafted_on: str
    approved_by: str
    approved_on: str


@dataclass(frozen=True, slots=True)
class OwnTargets:
    """All of an indicator: `drafts` wait for a second person; `history` is what was approved, the latest start first."""

    drafts: Sequence[OwnTarget]
    history: Sequence[OwnTarget]

    @property
    def in_force(self) -> OwnTarget | None:
        """The one that figures of today are held against; None while the shipped one is."""
        return next((one for one in self.history if one.state == "in-force"), None)

    @property
    def people(self) -> list[str]:
        """References of all who drafted or approved."""
        return [who for one in (*self.drafts, *self.history) for who in (one.drafted_by, one.approved_by) if who]


def own_targets(definition: Definition, measures: Sequence[Tree], now: datetime, zone: tzinfo) -> OwnTargets:
    """From the Measures that keep an indicator's targets."""
    held = in_force(measures, now, zone).get(definition.id, {}).get("id")
    told = [
        OwnTarget(
            str(one["id"]), target, _state(one, held, now, zone), _start(one, zone), drafter(one),
            str(one.get("date", "")), approver(one), str(one.get("approvalDate", "")),
        )
        for one in measures
        if (target := target_in(one)) is not None
    ]  # fmt: skip
    drafts = [one for one in told if one.state == "draft"]
    approved = [one for one in told if one.state != "draft"]
    latest_first = sorted(approved, key=lambda one: (one.start or now, one.approved_on, one.id), reverse=True)
    return OwnTargets(drafts, latest_first)


def proposal(form: Mapping[str, str], definition: Definition) -> tuple[list[Tree], dict[str, tuple[str, str]]]:
    """The parameters of `$propose-target` that a form holds, and what is wrong with a field before anybody is asked.

    A share is typed in percent and proposed as a share.

    >>> from slipring.qc.indicators.definition import definitions
    >>> typed = {"value": "99.5", "at": "least", "reason": "meeting"}
    >>> proposal(typed, definitions()["error-rate"])[0][0]
    {'name': 'value', 'valueDecimal': Decimal('0.995')}
    """
    value, at, start, reason = (form.get(name, "").strip() for name in FIELDS)
    problems = {}
    if not _NUMBER.fullmatch(value):
        problems["value"] = _NO_NUMBER
    if not reason:
        problems["reason"] = _NO_REASON
    if problems:
        return [], problems
    number = Decimal(value) if definition.scoring == "continuous" else Decimal(value) / _PERCENT
    given: list[Tree] = [{"name": "value", "valueDecimal": number}, {"name": "reason", "valueString": reason}]
    given += [{"name": "at", "valueCode": at}] if at else []
    given += [{"name": "start", "valueDate": start}] if start else []
    return given, {}


def _state(measure: Tree, held: object, now: datetime, zone: tzinfo) -> str:
    """What an approved one ended before its first day never was in force."""
    if measure.get("status") == "draft":
        return "draft"
    start, end = _start(measure, zone), moment(measure.get("effectivePeriod", {}).get("end"), zone)
    if start is not None and start == end:
        return "never"
    if measure["id"] == held:
        return "in-force"
    return "to-come" if start is not None and start >= now else "over"


def _start(measure: Tree, zone: tzinfo) -> datetime | None:
    return moment(measure.get("effectivePeriod", {}).get("start"), zone)
