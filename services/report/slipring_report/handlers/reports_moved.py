"""An operation moves a report: in the same commit its exam's reading, and what waits for an amendment, follow."""

from __future__ import annotations

from dataclasses import replace

from slipring.fhir.service import Call, Changes, Desk, Operation

from slipring_report.handlers.late_images import report_follows
from slipring_report.worklist.issuing import report_moved


def and_readings(operation: Operation) -> Operation:
    """The operation, and with it what the reports that it saves mean for the work on them."""

    async def handled(call: Call, desk: Desk) -> Changes:
        changes = await operation.handler(call, desk)
        for save in changes.save if changes.refuse is None else ():
            if save.resource["resourceType"] == "DiagnosticReport" and not save.delete:
                changes = changes.plus(await report_moved(save.resource, desk))
                changes = changes.plus(await report_follows(save.resource, desk))
        return changes

    return replace(operation, handler=handled) if operation.affects_state else operation
