"""What a Modality Performed Procedure Step says (PS3.4 annex F, PS3.3 C.4.13 to C.4.16), as plain values. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydicom.dataset import Dataset

from slipring_order.dicom.entry import LONG
from slipring_order.dicom.names import one_line
from slipring_order.dose import tree
from slipring_order.dose.text import text_of

IN_PROGRESS, COMPLETED, DISCONTINUED = "IN PROGRESS", "COMPLETED", "DISCONTINUED"
STATUSES = frozenset({IN_PROGRESS, COMPLETED, DISCONTINUED})
ABSENT, EMPTY, INVALID = 0x0120, 0x0121, 0x0106  # PS3.7 annex C
# Type 1 at the beginning (PS3.4 table F.7.2-1): without these nobody knows what was begun.
_DEMANDED = (
    "PerformedProcedureStepStatus", "PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime",
    "PerformedStationAETitle", "Modality", "ScheduledStepAttributesSequence",
)  # fmt: skip


class Unusable(ValueError):
    """A message of the wrong shape: the DIMSE status, and the attribute by its keyword."""

    def __init__(self, status: int, attribute: str) -> None:
        super().__init__(attribute)
        self.status = status
        self.attribute = attribute


@dataclass(frozen=True, slots=True)
class StepFacts:
    """One message about a performed step; what it does not say is empty."""

    uid: str
    status: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    station: str = ""  # the AE title that performed it
    step_id: str = ""
    study_uid: str = ""
    imaging_numbers: tuple[str, ...] = ()  # of the scheduled steps that it covers
    patient_id: str = ""
    patient_name: str = ""
    description: str = ""
    reason: tuple[str, str] = ("", "")  # why it was discontinued: DCM code and meaning
    series: tuple[tuple[str, str, int], ...] = ()  # uid, protocol or description, images

    @property
    def images(self) -> int:
        """How many images were made."""
        return sum(number for _, _, number in self.series)


def begun(dataset: Dataset, uid: str, zone: ZoneInfo) -> StepFacts:
    """Read an N-CREATE; Unusable when it lacks what is demanded of the beginning."""
    for name in _DEMANDED:
        if name not in dataset:
            raise Unusable(ABSENT, name)
        if dataset[name].is_empty or not str(dataset[name].value).strip():
            raise Unusable(EMPTY, name)
    facts = changed(dataset, uid, zone)
    if facts.status != IN_PROGRESS:
        raise Unusable(INVALID, "PerformedProcedureStepStatus")
    if facts.started_at is None:
        raise Unusable(INVALID, "PerformedProcedureStepStartDate")
    if not facts.study_uid:
        raise Unusable(ABSENT, "StudyInstanceUID")
    return facts


def changed(dataset: Dataset, uid: str, zone: ZoneInfo) -> StepFacts:
    """Read an N-SET, which says only what is new."""
    say = text_of(dataset)

    def text(name: str, most: int = LONG) -> str:
        return one_line(say(dataset.get(name)), most)

    status = text("PerformedProcedureStepStatus").upper()
    if status and status not in STATUSES:
        raise Unusable(INVALID, "PerformedProcedureStepStatus")
    scheduled = list(dataset.get("ScheduledStepAttributesSequence") or ())
    return StepFacts(
        uid=uid,
        status=status,
        started_at=_moment(dataset, "PerformedProcedureStepStart", zone),
        ended_at=_moment(dataset, "PerformedProcedureStepEnd", zone),
        station=text("PerformedStationAETitle"),
        step_id=text("PerformedProcedureStepID"),
        study_uid=next((str(one.StudyInstanceUID) for one in scheduled if one.get("StudyInstanceUID")), ""),
        imaging_numbers=tuple(
            dict.fromkeys(one_line(say(one.AccessionNumber), LONG) for one in scheduled if one.get("AccessionNumber"))
        ),
        patient_id=text("PatientID"),
        patient_name=say(dataset.get("PatientName")),
        description=text("PerformedProcedureStepDescription"),
        reason=_reason(dataset, say),
        series=tuple(_series(dataset, say)),
    )


def _moment(dataset: Dataset, name: str, zone: ZoneInfo) -> datetime | None:
    day, clock = str(dataset.get(f"{name}Date") or ""), str(dataset.get(f"{name}Time") or "")
    return tree.instant(f"{day}{clock}", zone) if day else None


def _reason(dataset: Dataset, say: Any) -> tuple[str, str]:
    for item in dataset.get("PerformedProcedureStepDiscontinuationReasonCodeSequence") or ():
        return str(item.get("CodeValue") or ""), one_line(say(item.get("CodeMeaning")), LONG)
    return "", ""


def _series(dataset: Dataset, say: Any) -> Iterator[tuple[str, str, int]]:
    for item in dataset.get("PerformedSeriesSequence") or ():
        said = say(item.get("ProtocolName")) or say(item.get("SeriesDescription"))
        images = item.get("ReferencedImageSequence") or ()
        yield str(item.get("SeriesInstanceUID") or ""), one_line(said, LONG), len(images)
