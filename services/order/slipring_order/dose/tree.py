"""Walking the content tree of a DICOM structured report, by concept code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:  # a service without a DICOM port starts without it
    from pydicom.dataset import Dataset


_PRIVATE = "99"


def children(item: Dataset, code: str) -> Iterator[Dataset]:
    """The direct content items with this concept code."""
    for child in item.get("ContentSequence") or ():
        if concept(child) == code:
            yield child


def within(item: Dataset, code: str) -> Iterator[Dataset]:
    """All content items below with this concept code, at any depth."""
    for child in item.get("ContentSequence") or ():
        if concept(child) == code:
            yield child
        yield from within(child, code)


def concept(item: Dataset) -> str:
    """The code of a content item's name; empty when it has none, or when it is a vendor's own (PS3.16 8.2: 99...)."""
    for entry in item.get("ConceptNameCodeSequence") or ():
        if str(entry.get("CodingSchemeDesignator") or "").startswith(_PRIVATE):
            return ""
    return _code(item, "ConceptNameCodeSequence")[0]


def value_code(item: Dataset | None) -> tuple[str, str]:
    """Code and meaning of a CODE item; an empty sequence says nothing."""
    return _code(item, "ConceptCodeSequence") if item is not None else ("", "")


def text(item: Dataset | None) -> str:
    """The value of a TEXT, UIDREF or DATETIME item."""
    for member in ("TextValue", "UID", "DateTime"):
        value = item.get(member) if item is not None else None
        if value:
            return str(value).strip()
    return ""


def number(item: Dataset | None) -> tuple[Decimal, str] | None:
    """The value of a NUM item with its unit as written; None when nothing was measured."""
    return next(numbers(item), None)


_DIGITS = 15  # no quantity of a dose report has more before or after the point; larger ones are no numbers of ours


def numbers(item: Dataset | None) -> Iterator[tuple[Decimal, str]]:
    """All values of a NUM item, each with the unit as written and the decimals as written."""
    for value in (item.get("MeasuredValueSequence") if item is not None else None) or ():
        written = _written(value)
        if written is None or written == "":
            continue
        several = hasattr(written, "__iter__") and not isinstance(written, str)
        for each in written if several else [written]:
            try:
                found = Decimal(str(getattr(each, "original_string", each)).strip())
            except InvalidOperation:
                continue
            if found.is_finite() and abs(found.adjusted()) < _DIGITS:
                yield found, _unit(value)


def illegible(item: Dataset) -> bool:
    """Whether a NUM item says something that is no number."""
    said = [_written(value) for value in item.get("MeasuredValueSequence") or ()]
    return any(one is not None and str(one).strip(" \0") for one in said) and number(item) is None


def _written(value: Dataset) -> Any:
    """What stands there as a number; a few writers give the floating point value alone."""
    written = value.get("NumericValue")
    return value.get("FloatingPointValue") if written is None else written


def moment(item: Dataset | None, zone: ZoneInfo) -> datetime | None:
    """The value of a DATETIME item; without an offset it is the department's time."""
    return instant(text(item), zone)


def instant(written: str, zone: ZoneInfo) -> datetime | None:
    """A DICOM date and time as an instant; None when it is none."""
    if not written:
        return None
    try:
        from pydicom.valuerep import DT

        parsed = DT(written)
    except ValueError:
        return None
    if parsed is None:
        return None
    at = datetime(
        parsed.year, parsed.month, parsed.day, parsed.hour, parsed.minute, parsed.second, parsed.microsecond,
        tzinfo=parsed.tzinfo or zone,
    )  # fmt: skip
    return at.astimezone(UTC)


def first(items: Iterator[Dataset]) -> Dataset | None:
    """The first item, or None."""
    return next(items, None)


def _unit(value: Dataset) -> str:
    """The unit's code, or its name where only that is given."""
    code, meaning = _code(value, "MeasurementUnitsCodeSequence")
    return code or meaning


def _code(item: Dataset, sequence: str) -> tuple[str, str]:
    for entry in item.get(sequence) or ():
        code = entry.get("CodeValue") or entry.get("LongCodeValue") or entry.get("URNCodeValue") or ""
        return str(code), str(entry.get("CodeMeaning") or "")
    return "", ""
