"""Modality Worklist (PS3.4 annex K): which entries an identifier matches, and what is answered to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from slipring_order.dicom.entry import CODED, REQUEST, STEP, STEP_SEQUENCE, Entry, coded
from slipring_order.dicom.keys import Span, days, moments, named, one_of, same, times
from slipring_order.dicom.names import answer_set

_DATE, _TIME = "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"
_LISTS = frozenset({"StudyInstanceUID"})
_TEXT = frozenset({"PN", "LO", "SH", "ST", "LT", "UT", "UC"})
_CARRIED = frozenset({"SpecificCharacterSet", "TimezoneOffsetFromUTC"})
MATCHED = frozenset(
    {
        "AccessionNumber", "RequestedProcedureID", "StudyInstanceUID", "PatientName", "PatientID", "IssuerOfPatientID",
        "PatientBirthDate", "PatientSex", "ReferringPhysicianName", "RequestingPhysician", "RequestedProcedurePriority",
        "RequestedProcedureDescription", "ScheduledStationAETitle", "Modality", _DATE, _TIME, "ScheduledProcedureStepID",
        "ScheduledStationName", "ScheduledProcedureStepLocation", "ScheduledProcedureStepDescription",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """A worklist identifier, read."""

    identifier: Dataset
    keys: dict[str, str] = field(default_factory=dict)  # of the request and the patient; lists with backslashes
    step_keys: dict[str, str] = field(default_factory=dict)
    on: Span = field(default_factory=Span)
    at: Span = field(default_factory=Span)
    combined: bool = False
    unknown: bool = False  # keys that we do not know are answered empty, with a warning
    whole_step: bool = False  # the sequence was asked for without naming attributes

    @property
    def character_sets(self) -> list[str]:
        """What the asker writes in, and so can read."""
        found = self.identifier.get("SpecificCharacterSet")
        if found is None or found == "":
            return []
        return [found] if isinstance(found, str) else [str(one or "") for one in found]

    def exact(self, keyword: str) -> str:
        """The value of a key that names one thing, without wildcards; empty when it does not."""
        value = (self.step_keys if keyword in STEP and keyword not in REQUEST else self.keys).get(keyword, "")
        return "" if any(sign in value for sign in "*?\\") else value


def read_identifier(identifier: Dataset) -> Asked:
    """Read what is asked; BadKey for a date or time that is none."""
    keys, unknown = _keys(identifier, REQUEST)
    sequence = identifier.get(STEP_SEQUENCE)
    item = sequence[0] if sequence else Dataset()
    step_keys, strange = _keys(item, STEP)
    on, at = days(step_keys.pop(_DATE, ""), _DATE), times(step_keys.pop(_TIME, ""), _TIME)
    return Asked(
        identifier,
        keys,
        step_keys,
        on,
        at,
        combined=on.first != on.last and at.first != at.last,
        unknown=unknown or strange,
        whole_step=sequence is not None and not len(item),
    )


def matches(asked: Asked, one: Entry) -> bool:
    """Whether an entry matches every key."""
    held = {name: REQUEST[name](one) for name in asked.keys}
    held_step = {name: STEP[name](one) for name in asked.step_keys}
    return (
        all(_matches(name, asked.keys[name], held[name]) for name in held)
        and all(_matches(name, asked.step_keys[name], held_step[name]) for name in held_step)
        and moments(asked.on, asked.at, one.begins_at, combined=asked.combined)
    )


def answer(asked: Asked, one: Entry, configured_set: str) -> Dataset:
    """The attributes that were asked for, in the character set that the asker can read."""
    told = Dataset()
    for element in asked.identifier:
        keyword = element.keyword
        if keyword == STEP_SEQUENCE:
            told.ScheduledProcedureStepSequence = [_step(asked, one)]
        elif keyword not in _CARRIED:
            _put(told, element.tag, keyword, REQUEST, one)
    if character_set := answer_set(_texts(told), asked.character_sets, configured_set):
        told.SpecificCharacterSet = character_set
    return told


def _step(asked: Asked, one: Entry) -> Dataset:
    item = Dataset()
    sequence = asked.identifier.get(STEP_SEQUENCE)
    if asked.whole_step or not sequence:
        for keyword in [*STEP, "ScheduledProtocolCodeSequence"]:
            _put(item, keyword, keyword, STEP, one)
        return item
    for element in sequence[0]:
        _put(item, element.tag, element.keyword, STEP, one)
    return item


def _put(told: Dataset, tag: Any, keyword: str, known: Any, one: Entry) -> None:
    if keyword in known:
        setattr(told, keyword, known[keyword](one))
    elif keyword in CODED:
        setattr(told, keyword, coded(keyword, one))
    elif keyword:  # known to DICOM, not to us: there, and empty
        setattr(told, keyword, [] if dictionary_VR(tag) == "SQ" else None)


def _keys(identifier: Dataset, known: Any) -> tuple[dict[str, str], bool]:
    found: dict[str, str] = {}
    strange = False
    for element in identifier:
        keyword = keyword_for_tag(element.tag)
        if keyword in _CARRIED or keyword == STEP_SEQUENCE:
            continue
        if keyword in CODED:
            strange = strange or any(len(item) and any(part.value for part in item) for item in element.value or ())
        elif keyword not in known:
            strange = True
        elif value := _written(element):
            if keyword in MATCHED:
                found[keyword] = value
            else:
                strange = True
    return found, strange


def _written(element: DataElement) -> str:
    if element.is_empty:
        return ""
    values = element.value if element.VM > 1 else [element.value]
    return "\\".join(str(one).strip() for one in values)


def _matches(name: str, wanted: str, held: str) -> bool:
    if name in _LISTS or "\\" in wanted:
        return one_of(wanted.split("\\"), held)
    vr = dictionary_VR(name)
    return named(wanted, held) if vr == "PN" else days(wanted, name).holds(held) if vr == "DA" else same(wanted, held)


def _texts(told: Dataset) -> Iterator[str]:
    for element in told:
        if element.VR == "SQ":
            for item in element.value:
                yield from _texts(item)
        elif element.VR in _TEXT and element.value:
            yield str(element.value)


def in_order(found: Iterable[Entry]) -> list[Entry]:
    """Emergencies first, then by the clock, as the day is worked off."""
    urgent = ("stat", "asap", "urgent", "routine")
    rank = {name: place for place, name in enumerate(urgent)}
    return sorted(found, key=lambda e: (e.begins_at.date(), rank.get(e.step.priority, len(rank)), e.begins_at))
