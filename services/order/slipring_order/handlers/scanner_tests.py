"""A test result arrives: a scanner goes out of limits, or passes again. However it is entered, the same is done."""

from __future__ import annotations

from datetime import datetime

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.outcome import not_found, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored, Write, successor
from slipring.rules.finding import Finding

from slipring_order import resources
from slipring_order.equipment.values import in_a_round
from slipring_order.equipment.written import demand_judgeable
from slipring_order.handlers.reminding import reminder
from slipring_order.mapping_record import INPUT_SYSTEM
from slipring_order.nonconformity import nonconformity
from slipring_order.reading import has_code, instant, reference_of
from slipring_order.rooms.booking import demand_a_ct
from slipring_order.rooms.fitness import Fitness
from slipring_order.rooms.measured import COUNTS, TEST_SYSTEM, is_coded
from slipring_order.rooms.scanners import judged_fitness, measured_on
from slipring_order.rooms.step import STEP_CODE
from slipring_order.rooms.testing import ScannerTest

NONCONFORMITY = "nonconformity"
_OUT = "order.scanner-within-limits"
_CLAUSE = "CL02-A011:5.6.2.3"
_REVIEWED = frozenset({"final", "amended", "corrected"})


def on_a_scanner(write: Write) -> bool:
    """Whether an Observation is, or was, coded as a test of a scanner."""
    return any(is_coded(tree) for tree in _trees(write))


async def result_written(write: Write, desk: Desk) -> Changes:
    """Open a nonconformity when a scanner goes out of limits; say so on it when it passes again."""
    if not write.imported and any(in_a_round(tree) for tree in _trees(write)):
        raise unprocessable(
            "A value of a round of tests is entered by Device/$enter-qc and settled by Task/$review-qc.",
            "质控轮次的数值由 Device/$enter-qc 录入、由 Task/$review-qc 审核，不可直接写入。",
            at="Observation.identifier",
            detail="order.qc-value-by-round",
        )
    await _demand_what_can_be_judged(write, desk)
    _demand_a_second_person(write, desk)
    changes = Changes.none()
    for scanner in sorted({reference_of(tree.get("subject")) for tree in _trees(write) if _is_test(tree)}):
        device = await desk.read(scanner)
        if device is None:
            continue
        changes = changes.plus(reminder(scanner))
        others = [one.resource for one in await measured_on(scanner, desk) if one.reference != write.reference]
        before = [write.before.resource] if write.before else []
        after = [write.resource] if write.method != "delete" else []
        was = judged_fitness(device.resource, [*others, *_about(scanner, before)], desk)
        now = judged_fitness(device.resource, [*others, *_about(scanner, after)], desk)
        changes = changes.plus(await scanner_stands(device, was, now, desk))
    return changes


async def scanner_stands(device: Stored, was: Fitness, now: Fitness, desk: Desk) -> Changes:
    """What follows from new results: a test that fails now opens a nonconformity, one that passes again is noted on it."""
    changes = Changes.none()
    for test in now.tests:
        failed = next(one.passes is False for one in was.tests if one.test == test.test)
        if test.passes is False and not failed:
            changes = changes.plus(await _out_of_limits(device, test, now, desk))
        elif failed and test.passes is not False:
            changes = changes.plus(await _passed_again(device, test, desk))
    return changes


async def asked_fitness(call: Call, desk: Desk) -> Changes:
    """`Device/[id]/$fitness`: whether the scanner may scan now, why not, and when each test is due."""
    if call.target is None:
        raise not_found("Device")
    device = call.target
    found = judged_fitness(device.resource, [one.resource for one in await measured_on(device.reference, desk)], desk)
    answer: list[Resource] = [{"name": "fit", "valueBoolean": found.fit}]
    for position, finding in enumerate(found.findings, 1):
        issue = as_detected_issue(finding, id=f"issue-{position}", subject="", about=device.reference, now=desk.now)
        answer.append({"name": "issue", "resource": issue})
    answer += [{"name": "test", "part": _part(test)} for test in found.tests if test.last or test.interval]
    return Changes(answer={"resourceType": "Parameters", "parameter": answer})


async def _out_of_limits(device: Stored, test: ScannerTest, now: Fitness, desk: Desk) -> Changes:
    """The finding, which others may subscribe to, and a nonconformity with every exam since the test was last passed."""
    [finding] = [one for one in now.findings if one.rule == _OUT and one.inputs.get("test") == test.test]
    issue = as_detected_issue(finding, id=desk.new_id(), subject="", about=device.reference, now=desk.now)
    issue["implicated"].append({"reference": str(finding.inputs["observation"])})
    exams = await exams_of(device.reference, test.doubt.since if test.doubt else None, None, desk)
    task = _nonconformity(device, test, finding, issue, exams, desk)
    return Changes(save=[Save(issue), Save(task)])


async def exams_of(scanner: str, since: datetime | None, until: datetime | None, desk: Desk) -> list[str]:
    """The exams that were scanned on a scanner between two moments; without the one or the other from the first, to the last."""
    bounds = (f"&period=ge{instant(since)}" if since else "") + (f"&period=lt{instant(until)}" if until else "")
    code = f"{resources.TASK_CODE_SYSTEM}|{STEP_CODE}"
    steps = await desk.search(f"Task?owner={scanner}&code={code}&status=in-progress,completed,failed{bounds}")
    return sorted({reference_of(step.resource["partOf"][0]) for step in steps if not step.source})


async def _passed_again(device: Stored, test: ScannerTest, desk: Desk) -> Changes:
    """The scanner scans again; the nonconformity stays open for those who look into it."""
    found = await desk.search(
        f"Task?focus={device.reference}&code={resources.TASK_CODE_SYSTEM}|{NONCONFORMITY}&status=requested,received,accepted,in-progress"
    )
    said = {"time": instant(desk.now), "text": f"{test.zh}复测合格。Passed again: {test.en}."}
    return Changes(
        save=[
            successor(one, note=[*one.resource.get("note", []), said], lastModified=instant(desk.now))
            for one in found
            if not one.source and has_code(one.resource.get("reasonCode"), TEST_SYSTEM, test.test)
        ]
    )


def _nonconformity(
    device: Stored, test: ScannerTest, finding: Finding, issue: Resource, exams: list[str], desk: Desk
) -> Resource:
    def given(code: str, reference: str) -> Resource:
        kind = {"coding": [{"system": INPUT_SYSTEM, "code": code}]}
        return {"type": kind, "valueReference": {"reference": reference}}

    made = nonconformity(
        id=desk.new_id(),
        zh=f"CT 质控：{finding.zh}自上次合格以来的检查 {len(exams)} 例待评估。",
        en=f"{finding.en} {len(exams)} exams since the last pass are to be looked at.",
        clause=_CLAUSE,
        about=device.reference,
        now=desk.now,
        evidence=[f"DetectedIssue/{issue['id']}"],
    )
    made["reasonCode"]["coding"].insert(0, {"system": TEST_SYSTEM, "code": test.test})
    made["reasonCode"]["text"] = finding.zh
    results = [given("test-result", str(finding.inputs["observation"]))]
    return {**made, "input": [*results, *(given("exam-since-last-pass", exam) for exam in exams)]}


async def _demand_what_can_be_judged(write: Write, desk: Desk) -> None:
    """A value outside a round is held to what one of a round is; one that is withdrawn, and history, count as they stand."""
    if write.imported or write.method == "delete" or not is_coded(write.resource):
        return
    if write.resource.get("status") not in COUNTS:
        return
    scanner = str(write.resource.get("subject", {}).get("reference", ""))  # by this alone its values are found again
    local = scanner.startswith("Device/") and scanner == reference_of(write.resource["subject"])
    demand_a_ct(await desk.read(scanner) if local else None, "Observation.subject")
    demand_judgeable(write.resource, desk.settings.zone, desk.now)


def _demand_a_second_person(write: Write, desk: Desk) -> None:
    """A value outside a round that says it is reviewed names two people; one that names nobody, the sending system stands for."""
    reviewed = write.method != "delete" and write.resource.get("status") in _REVIEWED and _is_test(write.resource)
    named = {reference_of(one) for one in write.resource.get("performer", [])} | {desk.caller.practitioner or ""}
    people = {one for one in named if one.startswith("Practitioner")}
    if reviewed and not write.imported and len(people) == 1:
        raise unprocessable(
            "A reviewed value names two people: send it as preliminary, or enter it as a round by Device/$enter-qc.",
            "已审核的数值须有两名人员：请以 preliminary 发送，或用 Device/$enter-qc 按轮次录入。",
            at="Observation.performer",
            code="business-rule",
            detail="order.qc-value-reviewed",
        )


def _part(test: ScannerTest) -> list[Resource]:
    parts: list[Resource] = [{"name": "test", "valueCode": test.test}]
    if test.last:
        parts.append({"name": "result", "valueReference": {"reference": test.last.reference}})
    if test.passes is not None:
        parts.append({"name": "passes", "valueBoolean": test.passes})
    if test.last_pass_at:
        parts.append({"name": "lastPass", "valueInstant": instant(test.last_pass_at)})
    if test.due_on:
        parts.append({"name": "due", "valueDate": test.due_on.isoformat()})
    return parts


def _about(scanner: str, results: list[Resource]) -> list[Resource]:
    """Those of these results that are this scanner's: one entered for another by mistake moves from it to this."""
    return [one for one in results if reference_of(one.get("subject")) == scanner]


def _trees(write: Write) -> list[Resource]:
    return [write.resource, *([write.before.resource] if write.before else [])]


def _is_test(tree: Resource) -> bool:
    return reference_of(tree.get("subject")).startswith("Device/") and is_coded(tree)
