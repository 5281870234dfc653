"""The draft of a released report's next version: the report with what it amends, and a text of its own."""

from __future__ import annotations

from slipring.fhir.service import Resource, Stored

from slipring_report.amending.amendment import Amendment
from slipring_report.resources import reference, versioned
from slipring_report.visibility import EMERGENCY
from slipring_report.vocabulary import AMENDMENT, COMPOSITION

_OF_A_RELEASE = ("presentedForm", "issued")
_RELATION = {"appended": "appends"}


def as_extension(amendment: Amendment) -> Resource:
    """What a version says of the one before it."""
    parts: list[Resource] = [
        {"url": "of", "valueReference": reference(f"{amendment.report}/_history/{amendment.version}")},
        {"url": "sha256", "valueString": amendment.sha256},
        {"url": "kind", "valueCode": amendment.kind},
        {"url": "reason", "valueCodeableConcept": amendment.reason},
        {"url": "author", "valueReference": reference(amendment.author)},
    ]
    parts += [{"url": "note", "valueString": amendment.note}] if amendment.note else []
    return {"url": AMENDMENT, "extension": parts}


def as_draft(report: Stored, amendment: Amendment, *, id: str, composition: str) -> Resource:
    """A copy to be changed, without what the release made; `composition`: its own text, or ''."""
    kept = [each for each in report.resource.get("extension", []) if each.get("url") not in (AMENDMENT, COMPOSITION)]
    text = [{"url": COMPOSITION, "valueReference": reference(composition)}] if composition else []
    members = {name: value for name, value in report.resource.items() if name not in _OF_A_RELEASE}
    return {
        **members,
        "id": id,
        "meta": tagged_without(report.resource.get("meta", {}), EMERGENCY),
        "extension": [*kept, *text, as_extension(amendment)],
        "status": "partial",
    }


def as_text(composition: Stored, kind: str, *, id: str) -> Resource:
    """The text of the draft: a copy that says which text it replaces, or is added to."""
    members = {name: value for name, value in composition.resource.items() if name != "attester"}
    relation = {
        "code": _RELATION.get(kind, "replaces"),
        "targetReference": reference(versioned(composition)),
    }
    tags = tagged_without(composition.resource.get("meta", {}))
    return {**members, "id": id, "meta": tags, "status": "preliminary", "relatesTo": [relation]}


def tagged_without(meta: Resource, tag: str = "") -> Resource:
    """The labels of a resource, without one tag; version and time are the store's."""
    kept = {name: value for name, value in meta.items() if name not in ("versionId", "lastUpdated", "tag")}
    tags = [each for each in meta.get("tag", []) if each.get("code") != tag]
    return {**kept, "tag": tags} if tags else kept
