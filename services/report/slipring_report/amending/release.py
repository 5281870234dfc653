"""The last signature on an amendment: its content becomes the next version of the report it amends, in one commit."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.outcome import conflict
from slipring.fhir.service import Changes, Desk, Resource, Save, Stored, successor

from slipring_report.amending.amendment import Amendment, as_it_will_stand
from slipring_report.amending.resources import tagged_without
from slipring_report.amending.standing import form_of
from slipring_report.notices.receivers import receivers_of
from slipring_report.notices.resources import as_notice
from slipring_report.reading import reference_of
from slipring_report.resources import reference
from slipring_report.signatures.gathering import Gathered, signatures_of
from slipring_report.signatures.resources import as_superseded
from slipring_report.visibility import EMERGENCY, believed


async def demand_unchanged(amendment: Amendment, desk: Desk) -> Stored:
    """The report that is amended, if it still says what it said when the amendment was begun; else 409."""
    report = await desk.read(amendment.report)
    if report is None or not believed(report.resource) or await form_of(report, desk) != amendment.sha256:
        raise conflict(
            "The report was changed or withdrawn since this amendment was begun; begin a new one.",
            "该修改稿建立之后，原报告已更改或撤回；请重新建立修改稿。",
            at="DiagnosticReport.extension",
            detail="report.amended-meanwhile",
        )
    return report


async def released_as_next(
    parts: Gathered,
    amendment: Amendment,
    members: Resource,
    earlier: Sequence[Stored],
    provenance: Resource,
    desk: Desk,
) -> Changes:
    """Everything that the release of an amendment writes; `earlier`: the records of the signatures before the last."""
    draft = parts.report
    before = await demand_unchanged(amendment, desk)
    content = {name: value for name, value in as_it_will_stand(draft.resource).items() if name != "meta"}
    tags = tagged_without(before.resource.get("meta", {}), EMERGENCY)
    after = f"{before.reference}/_history/{before.version + 1}"
    last = reference_of(provenance["signature"][0]["who"])
    superseded = [each.provenance for each in await signatures_of(before.reference, desk) if each.stands]
    return Changes(
        save=[
            Save({**content, "meta": tags, **members}, replaces=before.version),
            Save(draft.resource, replaces=draft.version, delete=True),
            Save({**provenance, **_now_of(provenance, draft, after)}),
            *[successor(each, **_now_of(each.resource, draft, after)) for each in earlier],
            *[successor(each, extension=as_superseded(each.resource, desk.now)) for each in superseded],
            *[
                Save(as_notice("superseded", content, after, who, id=desk.new_id(), sender=last, now=desk.now))
                for who in await receivers_of(before, desk, but=[last, amendment.author])
            ],
        ]
    )


def _now_of(provenance: Resource, draft: Stored, after: str) -> Resource:
    """A signature's record once the draft is released: its target is the version made of it, the draft its source."""
    targets = [reference(after) if reference_of(each) == draft.reference else each for each in provenance["target"]]
    signed = next(each for each in provenance["target"] if reference_of(each) == draft.reference)
    return {"target": targets, "entity": [{"role": "source", "what": signed}]}
