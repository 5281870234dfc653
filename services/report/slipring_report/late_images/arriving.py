"""What an ImagingStudy shows that was not there before. Pure."""

from __future__ import annotations

from slipring.fhir.service import Resource

_NO_IMAGES = frozenset({"cancelled", "entered-in-error"})


def news(study: Resource, before: Resource | None) -> list[str]:
    """The series that are new or have grown, by their UID; a study without series that is new counts by its own id."""
    if study.get("status") in _NO_IMAGES:
        return []
    held = {str(one.get("uid")): _instances(one) for one in (before or {}).get("series", [])}
    grown = [
        str(one.get("uid"))
        for one in study.get("series", [])
        if str(one.get("uid")) not in held or _instances(one) > held[str(one.get("uid"))]
    ]
    if grown or study.get("series"):
        return grown
    more = before is None or int(study.get("numberOfInstances", 0)) > int(before.get("numberOfInstances", 0))
    return [f"ImagingStudy/{study['id']}"] if more else []


def _instances(series: Resource) -> int:
    return int(series.get("numberOfInstances", 0)) or len(series.get("instance", []))
