"""`MedicationAdministration/$check`: the gate as a dry run that stores nothing."""

from __future__ import annotations

from slipring.fhir.service import Call, Changes, Desk, Resource

from slipring_consent.gate.ahead import foreseen
from slipring_consent.gate.permission import asked
from slipring_consent.gate.told import as_answer
from slipring_consent.gate.weighing import gives_contrast


async def checked_only(call: Call, desk: Desk) -> Changes:
    """Say whether this administration would be permitted now, and everything that was found; other drugs are plain records."""
    administration: Resource = call.value("administration")
    await desk.foresee(foreseen(administration))
    if not await gives_contrast(administration, desk):
        permitted = {"name": "permitted", "valueBoolean": True}
        return Changes(answer={"resourceType": "Parameters", "parameter": [permitted]})
    return Changes(answer=as_answer(await asked(administration, desk), administration, desk))
