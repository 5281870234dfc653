"""`Task/$downtime-kit`: reserve a block of imaging numbers, and print forms and worklist for a time without the system."""

from __future__ import annotations

import base64

from slipring.fhir.outcome import conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Save, Write

from slipring_order import resources
from slipring_order.downtime import kit as downtime
from slipring_order.handlers.requests import SEQUENCE
from slipring_order.rooms.booking import known_scanner

_USUAL, _MOST = 20, 100


async def kit_made(call: Call, desk: Desk) -> Changes:
    """Reserve the numbers and answer with the page that carries them."""
    count, asked = _count(call), call.value("scanner")
    scanner = (await known_scanner(asked, call.at("scanner"), desk)).reference if asked else ""
    settings = desk.settings
    numbers = [
        resources.imaging_number(settings.number_prefix, desk.now, await desk.next_value(SEQUENCE), settings.zone)
        for _ in range(count)
    ]
    task = downtime.reservation(numbers, desk.caller.practitioner or "", id=desk.new_id(), now=desk.now)
    lines = await downtime.worklist(desk, scanner)
    page = downtime.printed(numbers, lines, desk, scanner=await downtime.called_scanner(scanner, desk))
    kit = {
        "contentType": "text/html; charset=utf-8",
        "title": "downtime-kit.html",
        "data": base64.b64encode(page.encode()).decode(),
    }
    answer = [{"name": "kit", "valueAttachment": kit}, {"name": "return", "resource": task}]
    return Changes(save=[Save(task)], answer={"resourceType": "Parameters", "parameter": answer})


async def reservation_written(write: Write, desk: Desk) -> Changes:
    """Numbers are reserved by the operation alone: a request would believe any Task that names one."""
    raise conflict(
        "A reservation of imaging numbers is made by $downtime-kit and stays as it is.",
        "影像检查号的预留由 $downtime-kit 产生，不可另行创建或更改。",
        at="Task.identifier",
        detail="order.kit-made-by-department",
    )


def _count(call: Call) -> int:
    given = call.value("count")
    count = _USUAL if given is None else int(given)
    if not 1 <= count <= _MOST:
        raise unprocessable(
            f"A kit holds 1 to {_MOST} forms.",
            f"备用包可含 1 至 {_MOST} 张表。",
            at=call.at("count"),
            code="value",
            detail="order.kit-size",
        )
    return count
