"""Injections out of a lot, and reactions to them, on the desk in memory."""

from datetime import timedelta
from typing import Any

from slipring.fhir.service import Resource
from slipring_consent.reading import instant

from tests.support.contrast import IOHEXOL, a_department
from tests.support.desk import A_NOON, ADesk
from tests.support.observing import a_reaction


def a_lot(number: str = "L-1", **members: Any) -> Resource:
    return {
        "resourceType": "Medication",
        "id": f"c-{number}",
        "code": IOHEXOL,
        "batch": {"lotNumber": number},
        **members,
    }


def an_injection_of(number: int, lot: str = "L-1", **members: Any) -> Resource:
    return {
        "resourceType": "MedicationAdministration",
        "id": f"c-{lot}-{number}",
        "status": "completed",
        "medicationReference": {"reference": f"Medication/c-{lot}"},
        "subject": {"reference": f"Patient/o-{number}"},
        "effectiveDateTime": instant(A_NOON - timedelta(days=number % 30)),
        **members,
    }


def a_reaction_to(number: int, lot: str = "L-1", **members: Any) -> Resource:
    return a_reaction(
        id=f"c-e{lot}-{number}",
        subject={"reference": f"Patient/o-{number}"},
        suspectEntity=[{"instance": {"reference": f"MedicationAdministration/c-{lot}-{number}"}}],
        **members,
    )


def a_ward(injections: int, lot: str = "L-1", desk: ADesk | None = None) -> ADesk:
    desk = desk or a_department()
    desk.hold(a_lot(lot))
    for number in range(injections):
        desk.hold(an_injection_of(number, lot))
    return desk
