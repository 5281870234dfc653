"""A finding on images stops the report until a named person has settled it; nothing else about it ever changes."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError, Issue, unprocessable
from slipring.fhir.service import Changes, Desk, Resource, Write
from slipring.staff import may

from slipring_order.images.mismatch import is_mismatch
from slipring_order.people import demand, person_and_roles
from slipring_order.reading import instant, reference_of

_ACT = "settle-image-mismatch"
_FREE = frozenset({"mitigation", "meta", "text"})


async def finding_written(write: Write, desk: Desk) -> Changes:
    """Guard the findings on images: a mitigation is added by whom may settle them, in his own name.

    Other DetectedIssues are plain records.
    """
    if write.imported or write.method == "delete" or write.before is None or not is_mismatch(write.before.resource):
        return Changes.none()
    before = write.before.resource
    changed = sorted(n for n in {*write.resource, *before} - _FREE if write.resource.get(n) != before.get(n))
    if changed:
        raise FhirError(422, [_fixed(name) for name in changed])
    held, given = before.get("mitigation", []), write.resource.get("mitigation", [])
    if given[: len(held)] != held:
        raise FhirError(422, [_fixed("mitigation")])
    settled = [await _settled(each, len(held) + n, desk) for n, each in enumerate(given[len(held) :])]
    return Changes(members={"mitigation": [*held, *settled]}) if settled else Changes.none()


async def _settled(mitigation: Resource, position: int, desk: Desk) -> Resource:
    """What was done, by whom and when; the time is the department's own."""
    at = f"DetectedIssue.mitigation[{position}]"
    named = reference_of(mitigation.get("author"))
    caller = desk.caller.practitioner
    if not named and not caller:
        raise unprocessable(
            "A finding on images is settled by a named person: give mitigation.author.",
            "图像不符须由具名人员处理：请给出 mitigation.author。",
            at=f"{at}.author",
            code="required",
            detail="order.settler-missing",
        )
    if named and caller and named != caller:
        raise unprocessable(
            "Whoever settles a finding does so in his own name.",
            "处理人须为本人。",
            at=f"{at}.author",
            detail="order.settler-is-another",
        )
    person, roles = await person_and_roles(named or str(caller), desk)
    demand(may(_ACT, person, roles, desk.now, zone=desk.settings.time_zone), f"{at}.author")
    return {**mitigation, "date": instant(desk.now), "author": {"reference": f"Practitioner/{(person or {})['id']}"}}


def _fixed(name: str) -> Issue:
    return Issue(
        "business-rule",
        zh=f"图像不符记录的 {name} 不可更改，只能追加处理。",
        en=f"{name} of a finding on images cannot be changed; what was done about it is added.",
        at=f"DetectedIssue.{name}",
        detail="order.finding-fixed",
    )
