"""When a scan was made, as its images or its dose report tell: pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

from slipring.fhir.service import Resource

from slipring_order.reading import moment


def shown_at(resource: Resource, zone: tzinfo) -> datetime | None:
    """The latest moment of scanning that an ImagingStudy or a dose Observation names; None where it names no time of day."""
    return max(_moments([*_of_parts(resource), *_of_the_whole(resource)], zone), default=None)


def shown_since(resource: Resource, since: datetime, zone: tzinfo) -> bool:
    """Whether it tells of a scan after a moment. A report that knows only when it was written does not."""
    whole = list(_of_the_whole(resource))
    if resource["resourceType"] == "Observation":
        whole = [text for text in whole if text != resource.get("issued")]
    return any(at > since for at in _moments([*_of_parts(resource), *whole], zone))


def _of_the_whole(resource: Resource) -> Iterator[Any]:
    yield resource.get("started")
    yield resource.get("effectiveDateTime")
    yield resource.get("effectiveInstant")
    yield from resource.get("effectivePeriod", {}).values()


def _of_parts(resource: Resource) -> Iterator[Any]:
    for series in resource.get("series", []):
        yield series.get("started")
    for event in resource.get("contained", []):
        if event.get("resourceType") == "Observation":
            yield event.get("effectiveDateTime")


def _moments(texts: list[Any], zone: tzinfo) -> Iterator[datetime]:
    """A bare day is no time of day."""
    for text in texts:
        found = moment(text, zone) if isinstance(text, str) and "T" in text else None
        if found is not None:
            yield found
