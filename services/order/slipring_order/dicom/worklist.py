"""Modality Worklist (PS3.4 annex K): which entries an identifier matches, and what is answered to it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from slipring_order.dicom.entry import CODED, REQUEST, STEP, STEP_SEQUENCE, Entry, coded
from slipring_order.dicom.keys import Span, days, moments, named, one_of, same, times
from slipring_order.dicom.names import answer_set

_DATE, _TIME = "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"
_LISTS = frozenset({"StudyInstanceUID"})
_CONVERTED = frozenset({"PN", "SQ"})
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


class Answering:
    """How one query is answered: which attributes are told is settled once, each entry only fills them in."""

    def __init__(self, asked: Asked, configured_set: str) -> None:
        self._asked = asked
        self._configured = configured_set
        wanted = [one for one in asked.identifier if one.keyword not in _CARRIED and one.keyword != STEP_SEQUENCE]
        self._plan = [_filled(one.tag, one.keyword, REQUEST) for one in wanted]
        sequence = asked.identifier.get(STEP_SEQUENCE)
        named = [one.keyword for one in sequence[0]] if sequence and not asked.whole_step else []
        if asked.whole_step:
            named = [*STEP, "ScheduledProtocolCodeSequence"]
        self._step_plan = [_filled(Tag(name), name, STEP) for name in named] if sequence is not None else None

    def answer(self, one: Entry) -> Dataset:
        """The attributes that were asked for, in a character set that the asker can read."""
        told, texts = Dataset(), list[str]()
        _fill(told, self._plan, one, texts)
        if self._step_plan is not None:
            item = Dataset()
            _fill(item, self._step_plan, one, texts)
            told.add(DataElement(Tag(STEP_SEQUENCE), "SQ", [item]))
        if character_set := answer_set(texts, self._asked.character_sets, self._configured):
            told.SpecificCharacterSet = character_set
        return told


_Filled = tuple[BaseTag, str, Callable[[Entry], Any]]


def _filled(tag: BaseTag, keyword: str, known: Mapping[str, Callable[[Entry], str]]) -> _Filled:
    """How one attribute is filled in; one that DICOM knows and we do not is there, and empty."""
    vr = dictionary_VR(tag) if keyword else "LO"
    if keyword in known:
        return tag, vr, known[keyword]
    if keyword in CODED:
        return tag, vr, lambda one: coded(keyword, one)
    return tag, vr, lambda one: [] if vr == "SQ" else None


def _fill(told: Dataset, plan: Iterable[_Filled], one: Entry, texts: list[str]) -> None:
    for tag, vr, value_of in plan:
        value = value_of(one)
        if vr in _TEXT and value:
            texts.append(value)
        elif vr == "SQ":
            texts += [str(part.value) for item in value for part in item if part.VR in _TEXT]
        # What we write is sound by how it was made: pydicom need not look at it again, which costs more than all else.
        told.add(DataElement(tag, vr, value, already_converted=vr not in _CONVERTED))


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


def in_order(found: Iterable[Entry]) -> list[Entry]:
    """Emergencies first, then by the clock, as the day is worked off."""
    urgent = ("stat", "asap", "urgent", "routine")
    rank = {name: place for place, name in enumerate(urgent)}
    return sorted(found, key=lambda e: (e.begins_at.date(), rank.get(e.step.priority, len(rank)), e.begins_at))
