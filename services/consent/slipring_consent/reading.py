"""Small pure readers of R4 trees: codes, references, moments, extensions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.search.moment import END, Interval, interval
from slipring.fhir.search.moment import moment as moment_in
from slipring.fhir.service import Resource


def codes_in(concept: Resource | None) -> list[tuple[str, str]]:
    """The (system, code) pairs of a CodeableConcept."""
    return [(coding.get("system", ""), coding.get("code", "")) for coding in (concept or {}).get("coding", [])]


def has_code(concept: Resource | None, system: str, code: str) -> bool:
    """Whether a CodeableConcept carries this very code."""
    return (system, code) in codes_in(concept)


def is_coded(concept: Resource | None, code: str) -> bool:
    """Whether a CodeableConcept carries this code, of whatever system."""
    return any(held == code for _, held in codes_in(concept))


def reference_of(element: Resource | None) -> str:
    """The `Type/id` of a Reference, without version; empty when it names none.

    An absolute address stays what it is: searches index it as another house's, and so does everything that decides.
    A contained resource (`#p`) has no name that another resource could use.
    """
    named = str((element or {}).get("reference", "")).partition("/_history/")[0]
    return "" if named.startswith("#") else named


def moment(text: str | None, time_zone: str, *, end_of_day: bool = False) -> datetime | None:
    """A FHIR dateTime as an aware UTC instant; a bare day is taken in the department's time zone."""
    return moment_in(text, ZoneInfo(time_zone), end_of_day=end_of_day)


def span(record: Resource, member: str, time_zone: str) -> Interval | None:
    """The time that a choice such as `effective[x]` states, as wide as it was written; a period without end runs on."""
    zone = ZoneInfo(time_zone)
    for name in ("DateTime", "Instant", "Date"):
        if isinstance(text := record.get(f"{member}{name}"), str):
            return interval(text, zone)
    period = record.get(f"{member}Period")
    if not isinstance(period, dict):
        return None
    begun, ended = (interval(str(period[end]), zone) if end in period else None for end in ("start", "end"))
    if begun is None and ended is None:
        return None
    return Interval((begun or ended).low, ended.high if ended else END)  # type: ignore[union-attr]


def instant(moment_at: datetime) -> str:
    """A moment as FHIR writes it, in UTC, to the second."""
    return moment_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def extensions(element: Resource, url: str) -> list[Resource]:
    """The extensions of an element with this URL."""
    return [entry for entry in element.get("extension", []) if entry.get("url") == url]


def extension_value(element: Resource, url: str) -> Any:
    """The value of the first extension with this URL, or None."""
    for entry in extensions(element, url):
        return next((value for member, value in entry.items() if member.startswith("value")), None)
    return None


def items_of(response: Resource) -> Iterator[Resource]:
    """All answered items of a QuestionnaireResponse, nested ones too."""
    pending = list(response.get("item", []))
    while pending:
        item = pending.pop(0)
        yield item
        pending.extend(item.get("item", []))
        pending.extend(below for answer in item.get("answer", []) for below in answer.get("item", []))
