"""Acceptance, status and constancy tests and calibrations of devices: a whole record, and a fault is followed up."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import Changes, Desk, Resource, Save, Write

from slipring_order.department.obligations import carried_by
from slipring_order.department.records import TEST_SYSTEM, device_of, test_result
from slipring_order.handlers.reminding import reminder
from slipring_order.nonconformity import nonconformity
from slipring_order.reading import codings, has_system, reference_of

# By a qualified body, with its certificate (5.3.1.2, 5.3.1.4); constancy is the department's own.
_BY_A_BODY = frozenset({"acceptance-test", "status-test", "calibration"})
_DONE = frozenset({"final", "amended", "corrected"})


def is_device_test(observation: Resource) -> bool:
    """Whether an Observation records a test of a device."""
    return has_system(observation.get("code"), TEST_SYSTEM)


async def test_written(write: Write, desk: Desk) -> Changes:
    """Take a test in: device, day, result, and of outside tests the body and its certificate."""
    test = write.resource
    device = device_of(test)
    if write.method == "delete":
        return reminder(device)
    kinds = [str(c["code"]) for c in codings(test.get("code")) if c.get("system") == TEST_SYSTEM and c.get("code")]
    if not write.imported and test.get("status") in _DONE:
        _demand_a_whole_record(test, device, kinds)
        if test_result(test) == "failed" and not _failed_before(write):
            return reminder(device).plus(Changes(save=[Save(_fault(test, device, kind, desk)) for kind in kinds]))
    return reminder(device)


def _demand_a_whole_record(test: Resource, device: str, kinds: list[str]) -> None:
    outside = bool(_BY_A_BODY.intersection(kinds))
    bodies = [reference_of(one) for one in test.get("performer", [])]
    papers = [reference_of(one) for one in test.get("derivedFrom", [])]
    lacking = [
        (not device, "device", "受检设备", "the device"),
        (not (test.get("effectiveDateTime") or test.get("issued")), "effective", "检测日期", "the day"),
        (not test_result(test), "value", "结论（合格或不合格）", "the result, passed or failed"),
        (outside and not any(b.startswith("Organization/") for b in bodies), "performer", "检测机构", "the body"),
        (
            outside and not any(p.startswith("DocumentReference/") for p in papers),
            "derivedFrom",
            "证书",
            "the certificate",
        ),
    ]
    issues = [
        Issue(
            "required",
            zh=f"设备检测记录须注明{zh}。",
            en=f"A test of a device states {en}.",
            at=f"Observation.{member}",
            detail="order.device-test-incomplete",
        )
        for missing, member, zh, en in lacking
        if missing
    ]
    if issues:
        raise FhirError(422, issues)


def _failed_before(write: Write) -> bool:
    return write.before is not None and test_result(write.before.resource) == "failed"


def _fault(test: Resource, device: str, kind: str, desk: Desk) -> Resource:
    said = carried_by("test").get(kind)
    return nonconformity(
        id=desk.new_id(),
        zh=f"{said.zh if said else kind}不合格。",
        en=f"The {said.en if said else kind} failed.",
        clause=said.clause if said else "CL02-A011:5.3.1.2",
        about=device,
        now=desk.now,
        evidence=[f"Observation/{test['id']}"],
    )
