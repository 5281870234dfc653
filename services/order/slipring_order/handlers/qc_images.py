"""A phantom series becomes a round of tests to be reviewed: its values, the annotated picture, and what gave nothing."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime

from slipring.fhir.service import CANONICAL, Changes, Desk, Resource, Save

from slipring_order.equipment import round as rounds
from slipring_order.equipment.series import Measured
from slipring_order.handlers.qc_recording import recorded
from slipring_order.reading import instant
from slipring_order.rooms.scanner import is_ct
from slipring_order.rooms.scanner_standard import CONSTANCY
from slipring_order.rooms.step import UID_SYSTEM

PICTURE_SYSTEM = f"{CANONICAL}/CodeSystem/qc-document"


class NoScanner(LookupError):
    """Nobody knows on which scanner the series was made."""


async def series_measured(
    scanner: str, series_uid: str, made_at: datetime | None, found: Measured, desk: Desk
) -> Changes:
    """Put a measured series on record, once however often it is sent."""
    known = await desk.search(f"Task?identifier={UID_SYSTEM}|urn:oid:{series_uid}&code={rounds.ROUND}")
    if known:
        return Changes.none()
    device = await desk.read(scanner) if scanner else None
    if device is None or not is_ct(device.resource):
        raise NoScanner(scanner)
    at = made_at if made_at is not None and made_at <= desk.now else desk.now
    record = await recorded(
        device, found.values, kind=CONSTANCY, at=instant(at), who="", state=rounds.MEASURED, desk=desk,
        methods=found.methods,
    )  # fmt: skip
    task = {**record.round, "identifier": [{"system": UID_SYSTEM, "value": f"urn:oid:{series_uid}"}]}
    if note := _note(found):
        task["note"] = [{"time": instant(desk.now), "text": note}]
    saves = []
    if found.picture:
        picture = _picture(found.picture, device.reference, desk)
        task["output"] = rounds.with_outputs(task, "picture", [f"DocumentReference/{picture['id']}"])
        saves.append(Save(picture))
    return Changes(save=[Save({name: value for name, value in task.items() if value}), *saves]).plus(record.changes)


def _note(found: Measured) -> str:
    """What a person should know who looks at the round; codes of the analysis, nothing that stands in the images."""
    said = [f"{count} × {code}" for code, count in sorted(found.refused.items())]
    parts = [f"已测量图像 {found.images} 幅。Images measured: {found.images}."]
    if said:
        parts.append(f"未采用：{'，'.join(said)}。Not taken: {', '.join(said)}.")
    if found.flags:
        parts.append(f"提示：{'，'.join(found.flags)}。Flags: {', '.join(found.flags)}.")
    return " ".join(parts)


def _picture(data: bytes, scanner: str, desk: Desk) -> Resource:
    coding = {"system": PICTURE_SYSTEM, "code": "annotated-picture"}
    attachment = {
        "contentType": "image/png",
        "data": base64.b64encode(data).decode(),
        "size": len(data),
        "hash": base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode(),
        "title": "annotated-picture.png",
    }
    return {
        "resourceType": "DocumentReference",
        "id": desk.new_id(),
        "status": "current",
        "type": {"coding": [coding]},
        "subject": {"reference": scanner},
        "date": instant(desk.now),
        "content": [{"attachment": attachment}],
    }
