"""Modality Worklist (PS3.4 annex K): which entries an identifier matches, and what is answered to it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID

from slipring_order.dicom.entry import CODED, REQUEST, STEP, STEP_SEQUENCE, Entry, coded
from slipring_order.dicom.keys import Span, days, moments, named, one_of, same, times
from slipring_order.dicom.names import answer_set
from slipring_order.dicom.writing import TEXTS, Element, written

_DATE, _TIME = "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"
_LISTS = frozenset({"StudyInstanceUID"})
_CHARACTER_SET = Tag("SpecificCharacterSet")
_WHOLE_STEP = (*STEP, "ScheduledProtocolCodeSequence")
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
    held = {name: str(REQUEST[name](one)) for name in asked.keys}
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
        plan = {one.tag: _filled(one.tag, REQUEST) for one in asked.identifier if one.keyword not in _CARRIED}
        sequence = asked.identifier.get(STEP_SEQUENCE)
        if sequence is not None:
            tags = [Tag(name) for name in _WHOLE_STEP] if asked.whole_step else [one.tag for one in sequence[0]]
            of_step = [_filled(tag, STEP) for tag in sorted(tags)]
            tag = Tag(STEP_SEQUENCE)
            plan[tag] = (tag, "SQ", lambda one: [_told(of_step, one)])
        self._plan = [plan[tag] for tag in sorted(plan)]

    def answer(self, one: Entry, syntax: UID) -> bytes:
        """The attributes that were asked for, in a character set that the asker can read."""
        told = _told(self._plan, one)
        character_set = answer_set(_texts(told), self._asked.character_sets, self._configured)
        if character_set:
            told.insert(0, Element(_CHARACTER_SET, "CS", character_set))
        return written(told, syntax, character_set)


_Filled = tuple[BaseTag, str, Callable[[Entry], Any]]


def _filled(tag: BaseTag, known: Mapping[str, Callable[[Entry], Any]]) -> _Filled:
    """How one attribute is filled in; one that DICOM knows and we do not is there, and empty."""
    keyword = keyword_for_tag(tag)
    vr = dictionary_VR(tag) if keyword else "LO"
    if keyword in known:
        return tag, vr, known[keyword]
    if keyword in CODED:
        return tag, vr, lambda one: [_item(each) for each in coded(keyword, one)]
    return tag, vr, lambda one: ""


def _item(named: Mapping[str, str]) -> list[Element]:
    return [Element(Tag(keyword), dictionary_VR(keyword), value) for keyword, value in named.items()]


def _told(plan: Iterable[_Filled], one: Entry) -> list[Element]:
    return [Element(tag, vr, value_of(one)) for tag, vr, value_of in plan]


def _texts(told: Iterable[Element]) -> Iterator[str]:
    """All that is written in the answer's character set."""
    for element in told:
        if isinstance(element.value, str):
            if element.vr in TEXTS:
                yield element.value
        elif not isinstance(element.value, int):
            for item in element.value:
                yield from _texts(item)


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
