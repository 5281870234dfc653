"""What one person drafts and a second one makes active: who they were, and whether it is still what was drafted. Pure.

Both are written by the server as extensions, whatever the sender wrote there; everything else that was written stays.
"""

from __future__ import annotations

from typing import Any

from slipring.fhir.service import CANONICAL, Desk, Resource

DRAFTED_BY = f"{CANONICAL}/StructureDefinition/drafted-by"
APPROVED_BY = f"{CANONICAL}/StructureDefinition/approved-by"
_SIGNED = frozenset({DRAFTED_BY, APPROVED_BY})
# What may differ between the draft and what is approved: nothing that anybody is judged, mapped or scanned by.
_FORMAL = frozenset({"status", "meta", "date", "text", "id", "approvalDate", "publisher", "contact"})


def who(desk: Desk) -> str:
    """Who writes: a person where one is signed in, else the client."""
    return desk.caller.practitioner or desk.caller.client


def drafter(resource: Resource) -> str:
    """Who drafted it, or an empty string."""
    return _signer(resource, DRAFTED_BY)


def approver(resource: Resource) -> str:
    """Who approved it, or an empty string."""
    return _signer(resource, APPROVED_BY)


def signed(resource: Resource, drafted_by: str, approved_by: str = "") -> list[Resource]:
    """Its extensions with who drafted and who approved it as the server knows them."""
    others = [entry for entry in resource.get("extension", []) if entry.get("url") not in _SIGNED]
    names = ((DRAFTED_BY, drafted_by), (APPROVED_BY, approved_by))
    return [*others, *({"url": url, "valueString": name} for url, name in names if name)]


def content(resource: Resource, *more: str, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """What is approved: all but the formal members, `more` of them, and the extensions of the addresses `without`."""
    left_out = _SIGNED | without
    extension = [entry for entry in resource.get("extension", []) if entry.get("url") not in left_out]
    kept = {name: value for name, value in resource.items() if name not in _FORMAL and name not in more}
    return {**kept, "extension": extension}


def _signer(resource: Resource, url: str) -> str:
    found = (e.get("valueString") for e in resource.get("extension", []) if e.get("url") == url)
    return next((str(name) for name in found if name), "")
