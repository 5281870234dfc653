"""`Device/$record-comparison` and `DocumentReference/[id]/$approve-comparison`: a comparison of scanners goes on record (5.6.4)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from slipring.fhir.outcome import FhirError, conflict, not_found, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Save, successor

from slipring_order.asked_day import asked_period
from slipring_order.equipment import comparison_record as kept
from slipring_order.equipment.comparability import Pair, pairs, samples
from slipring_order.handlers.reception import performer_who_may
from slipring_order.handlers.reminding import reminder
from slipring_order.nonconformity import nonconformity
from slipring_order.reading import reference_of
from slipring_order.rooms.booking import known_scanner
from slipring_order.rooms.scanner_standard import tests
from slipring_order.rooms.scanners import measured_on
from slipring_order.rooms.testing import Result, result_of

_CLAUSE = "CL02-A011:5.6.4"
_FEWEST = 2  # scanners that are compared
_LONGEST = 500


async def comparison_recorded(call: Call, desk: Desk) -> Changes:
    """Compare scanners in every test that was measured on both in a period, and keep what came of it for a second person."""
    by = await performer_who_may("test-scanner", call, desk)
    since, until = asked_period(call)
    if until > desk.now.astimezone(desk.settings.zone).date():
        raise _refused(call, "periodEnd", "The period is not in the future.", "时段不得晚于今天。", "period")
    named = list(dict.fromkeys(reference_of(one) for one in call.values("scanner")))
    if len(named) < _FEWEST:
        raise _refused(call, "scanner", "Two scanners at least are compared.", "至少比较两台设备。", "scanners")
    note = str(call.value("note") or "").strip()
    if len(note) > _LONGEST:
        raise _refused(call, "note", f"note is {_LONGEST} characters at most.", f"note 不超过 {_LONGEST} 字。", "note")
    results: dict[str, list[Result]] = {}
    for reference in named:
        await known_scanner({"reference": reference}, call.at("scanner"), desk)
        measured = await measured_on(reference, desk)
        results[reference] = [one for each in measured if (one := result_of(each.resource, desk.settings.zone))]
    zone, day = desk.settings.zone, until
    begins = datetime.combine(since, time.min, zone).astimezone(UTC)
    ends = datetime.combine(until + timedelta(days=1), time.min, zone).astimezone(UTC) - timedelta(microseconds=1)
    compared: dict[str, list[Pair]] = {}
    for test in tests():
        found = list(pairs(samples(results, test, begins, ends), test, day))
        if found:
            compared[test] = found
    if not compared:
        raise _refused(
            call, "periodStart", "No test has two approved values on each of two scanners in this period.",
            "该时段内没有任何检测项目在两台设备上各有两个已批准的数值。", "nothing",
        )  # fmt: skip
    told = kept.as_parameters(compared, since, until)
    made = kept.as_document(told, named, by, note, until, id=desk.new_id(), now=desk.now)
    answer = {"resourceType": "Parameters", "parameter": [{"name": "record", "resource": made}, *told["parameter"]]}
    return Changes(save=[Save(made)], answer=answer)


async def comparison_approved(call: Call, desk: Desk) -> Changes:
    """A second person approves the record: it counts from then on; what differs too much opens a nonconformity."""
    held = call.target
    if held is None or not kept.is_comparison(held.resource):
        raise not_found("DocumentReference")
    by = await performer_who_may("approve-scanner-test", call, desk)
    if held.resource.get("docStatus") != "preliminary":
        raise conflict(
            "The comparison is approved already.", "该比对记录已批准。", at="DocumentReference.docStatus",
            detail="order.comparison-approved",
        )  # fmt: skip
    if by == kept.author_of(held.resource):
        raise conflict(
            "Somebody else than its author approves a comparison.", "比对记录须由编制者以外的人员批准。",
            at=call.at("performer"), detail="order.comparison-second",
        )  # fmt: skip
    done = successor(held, docStatus="final", authenticator={"reference": by})
    saves = [done]
    for test, scanners in kept.different(held.resource):
        names, both = tests()[test], "、".join(scanners)
        saves.append(
            Save(
                nonconformity(
                    id=desk.new_id(),
                    zh=f"设备间比对超出允许差异：{names['zh']}（{both}）。",
                    en=f"Scanners differ by more than is allowed: {names['en']} ({', '.join(scanners)}).",
                    clause=_CLAUSE,
                    about=scanners[0],
                    now=desk.now,
                    evidence=[held.reference],
                    who=by,
                )
            )
        )
    return Changes(save=saves, answer=done.resource).plus(reminder(""))


def _refused(call: Call, name: str, en: str, zh: str, detail: str) -> FhirError:
    return unprocessable(en, zh, at=call.at(name), code="value", detail=f"order.comparison-{detail}")
