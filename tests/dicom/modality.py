"""A scanner, as pynetdicom plays one: it asks for its worklist, reports its steps and sends its objects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, XRayRadiationDoseSRStorage, generate_uid
from pynetdicom import AE
from pynetdicom.association import Association
from slipring_order.dicom.contexts import PERFORMED_STEP, VERIFICATION, WORKLIST

ZONE = ZoneInfo("Asia/Shanghai")


@contextmanager
def associated(
    port: int, calling: str = "CT1", *, syntax: str = ExplicitVRLittleEndian, longest_pdu: int = 16382
) -> Iterator[Association]:
    """An association of this scanner."""
    entity = AE(calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 60
    for one in (VERIFICATION, WORKLIST, PERFORMED_STEP, CTImageStorage, XRayRadiationDoseSRStorage):
        entity.add_requested_context(one, syntax)
    association = entity.associate("127.0.0.1", port, ae_title="SLIPRING", max_pdu=longest_pdu)
    assert association.is_established
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def a_query(**keys: Any) -> Dataset:
    """A worklist identifier as scanners send it; keys of the step by their keywords like the others."""
    query, step = Dataset(), Dataset()
    for keyword in ("AccessionNumber", "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID",
                    "RequestedProcedureID", "RequestedProcedureDescription", "ReferringPhysicianName"):  # fmt: skip
        setattr(query, keyword, keys.pop(keyword, ""))
    if "SpecificCharacterSet" in keys:
        query.SpecificCharacterSet = keys.pop("SpecificCharacterSet")
    for keyword in ("ScheduledStationAETitle", "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime",
                    "Modality", "ScheduledProcedureStepDescription", "ScheduledProcedureStepID"):  # fmt: skip
        setattr(step, keyword, keys.pop(keyword, ""))
    query.ScheduledProcedureStepSequence = [step]
    for keyword, value in keys.items():
        setattr(query, keyword, value)
    return query


def asked(association: Association, query: Dataset) -> tuple[list[Dataset], list[int]]:
    """The entries that the worklist gives, and every status."""
    found, statuses = [], []
    for status, identifier in association.send_c_find(query, WORKLIST):
        statuses.append(int(status.Status))
        if identifier is not None:
            found.append(identifier)
    return found, statuses


def worklist(
    port: int,
    calling: str = "CT1",
    *,
    syntax: str = ExplicitVRLittleEndian,
    longest_pdu: int = 16382,
    **keys: Any,
) -> list[Dataset]:
    """The entries for a query."""
    with associated(port, calling, syntax=syntax, longest_pdu=longest_pdu) as association:
        found, statuses = asked(association, a_query(**keys))
    assert statuses[-1] == 0, [hex(one) for one in statuses]
    return found


def a_beginning(entry: Dataset | None, at: datetime, **members: Any) -> Dataset:
    """The N-CREATE of a step: of a worklist entry, or of nothing that is listed."""
    said, scheduled = Dataset(), Dataset()
    said.SpecificCharacterSet = "ISO_IR 192"
    scheduled.StudyInstanceUID = entry.StudyInstanceUID if entry else generate_uid()
    scheduled.AccessionNumber = entry.AccessionNumber if entry else ""
    scheduled.RequestedProcedureID = entry.RequestedProcedureID if entry else ""
    said.ScheduledStepAttributesSequence = [scheduled]
    said.PatientName = entry.PatientName if entry else "未^登记"
    said.PatientID = entry.PatientID if entry else "NOBODY"
    said.PerformedProcedureStepID = "P1"
    said.PerformedStationAETitle = "CT1"
    said.PerformedProcedureStepStartDate = at.astimezone(ZONE).strftime("%Y%m%d")
    said.PerformedProcedureStepStartTime = at.astimezone(ZONE).strftime("%H%M%S")
    said.PerformedProcedureStepStatus = "IN PROGRESS"
    said.PerformedProcedureStepDescription = "胸部平扫"
    said.Modality = "CT"
    for keyword, value in members.items():
        if value is None:
            delattr(said, keyword)
        else:
            setattr(said, keyword, value)
    return said


def an_end(at: datetime, status: str = "COMPLETED") -> Dataset:
    """The N-SET that ends a step."""
    said, series = Dataset(), Dataset()
    said.PerformedProcedureStepStatus = status
    said.PerformedProcedureStepEndDate = at.astimezone(ZONE).strftime("%Y%m%d")
    said.PerformedProcedureStepEndTime = at.astimezone(ZONE).strftime("%H%M%S")
    series.SeriesInstanceUID = generate_uid()
    series.ProtocolName = "Thorax"
    said.PerformedSeriesSequence = [series]
    return said


def created(association: Association, said: Dataset, uid: str) -> int:
    """N-CREATE; its status."""
    status, _ = association.send_n_create(said, PERFORMED_STEP, uid)
    return int(status.Status)


def changed(association: Association, said: Dataset, uid: str) -> int:
    """N-SET; its status."""
    status, _ = association.send_n_set(said, PERFORMED_STEP, uid)
    return int(status.Status)
