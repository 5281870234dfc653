"""What order shows of a case of the assessor's sample beside what links find: the rules' decisions, the scanner's tests of that day."""

from __future__ import annotations

from pathlib import Path

from slipring.assessing.gathering import Case
from slipring.assessing.links import read_links
from slipring.assessing.operation import Evidencing
from slipring.fhir.service import Desk

from slipring_order.reading import moment
from slipring_order.resources import ACSN_SYSTEM
from slipring_order.rooms.scanner import is_ct
from slipring_order.rooms.scanners import measured_on
from slipring_order.rooms.testing import Result, result_of


async def beside(case: Case, desk: Desk) -> list[str]:
    """What the rules said of the request, by the imaging number; of each test of the scanner the last result before the exam."""
    found: list[str] = []
    for exam in [one.stored.resource for one in case.own.values() if one.stored.resource["resourceType"] == "Task"]:
        number = exam.get("groupIdentifier", {}).get("value")
        began = moment(exam.get("executionPeriod", {}).get("start"), desk.settings.zone)
        if not number or began is None:
            continue
        found += [one.reference for one in await desk.search(f"GuidanceResponse?request={ACSN_SYSTEM}|{number}")]
        for scanner in [one.stored for one in case.own.values() if is_ct(one.stored.resource)]:
            last: dict[str, Result] = {}
            for stored in await measured_on(scanner.reference, desk):
                result = result_of(stored.resource, desk.settings.zone)
                if result and result.at <= began and (result.test not in last or last[result.test].at < result.at):
                    last[result.test] = result
            found += [one.reference for one in last.values()]
    return found


EVIDENCE = Evidencing("order", read_links(Path(__file__).with_name("evidence.toml")), beside=beside)
