"""A scanner that is out of limits, overdue or out of service has no worklist; what repairs it returns it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slipring.fhir.service import CANONICAL as C
from slipring_order.reading import instant

from tests.dicom.modality import worklist
from tests.dicom.scheduled import Hospital, a_patient, a_scanner


def a_result(
    hospital: Hospital, ae_title: str, value: float, days_ago: float, kind: str = "constancy"
) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "status": "final", "subject": hospital.reference(ae_title),
        "code": {"coding": [{"system": f"{C}/CodeSystem/scanner-test", "code": "water"}]},
        "method": {"coding": [{"system": f"{C}/CodeSystem/scanner-test-kind", "code": kind}]},
        "effectiveDateTime": instant(datetime.now(UTC) - timedelta(days=days_ago)),
        "valueQuantity": {"value": value, "unit": "HU"},
    }  # fmt: skip


@pytest.mark.clause("5.6.2.3")
def test_a_scanner_out_of_limits_has_no_entries_until_it_passes_again(port: int, hospital: Hospital) -> None:
    hospital.scanners["CT8"] = hospital.made(a_scanner("CT8"))
    exam = hospital.exam(a_patient("U-1"), "CT8", minutes=30)
    assert [one.AccessionNumber for one in worklist(port, ScheduledStationAETitle="CT8")] == [exam.number]
    hospital.made(a_result(hospital, "CT8", 0.5, 3, "acceptance"))
    hospital.made(a_result(hospital, "CT8", 7.0, 2))
    assert worklist(port, ScheduledStationAETitle="CT8") == []
    hospital.made(a_result(hospital, "CT8", 1.0, 1))
    assert [one.AccessionNumber for one in worklist(port, ScheduledStationAETitle="CT8")] == [exam.number]


@pytest.mark.clause("5.6.2.3")
def test_a_scanner_whose_monthly_test_is_overdue_has_no_entries(port: int, hospital: Hospital) -> None:
    hospital.scanners["CT9"] = hospital.made(a_scanner("CT9"))
    exam = hospital.exam(a_patient("U-2"), "CT9", minutes=30)
    hospital.made(a_result(hospital, "CT9", 0.5, 20, "acceptance"))
    assert [one.AccessionNumber for one in worklist(port, ScheduledStationAETitle="CT9")] == [exam.number]
    hospital.scanners["CT7"] = hospital.made(a_scanner("CT7"))
    hospital.exam(a_patient("U-3"), "CT7", minutes=30)
    hospital.made(a_result(hospital, "CT7", 0.5, 40, "acceptance"))
    assert worklist(port, ScheduledStationAETitle="CT7") == []
