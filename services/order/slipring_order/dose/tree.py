"""Walking the content tree of a DICOM structured report, by concept code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from pydicom.dataset import Dataset
from pydicom.valuerep import DT


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
    """The code of a content item's name; empty when it has none."""
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
    measured = (item.get("MeasuredValueSequence") if item is not None else None) or ()
    for value in measured:
        written = value.get("NumericValue")
        if written is None or written == "":
            continue
        first = written if not hasattr(written, "__iter__") or isinstance(written, str) else next(iter(written))
        try:
            return Decimal(str(getattr(first, "original_string", first)).strip()), _unit(value)
        except InvalidOperation:
            return None
    return None


def moment(item: Dataset | None, zone: ZoneInfo) -> datetime | None:
    """The value of a DATETIME item; without an offset it is the department's time."""
    written = text(item)
    if not written:
        return None
    try:
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
    return _code(value, "MeasurementUnitsCodeSequence")[0]


def _code(item: Dataset, sequence: str) -> tuple[str, str]:
    for entry in item.get(sequence) or ():
        code = entry.get("CodeValue") or entry.get("LongCodeValue") or entry.get("URNCodeValue") or ""
        return str(code), str(entry.get("CodeMeaning") or "")
    return "", ""
