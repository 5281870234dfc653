"""`$sign`: one signature is judged, recorded, and moves the report on; the last one releases it."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.outcome import FhirError, Issue, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Save, Stored, successor
from slipring.rules.finding import Finding
from slipring.rules.lifecycle import move
from slipring.signing.jws import jws_sha256

from slipring_report.amending.amendment import Amendment, amendment_of, amends, as_it_will_stand
from slipring_report.amending.keeping import demand_all_kept
from slipring_report.amending.release import demand_unchanged, released_as_next
from slipring_report.amending.resources import tagged_without
from slipring_report.checks.asking import unanswered
from slipring_report.emergency.demands import demand_not_contradicted
from slipring_report.emergency.release import emergency_asked, second_read_closed, second_read_opened, tagged
from slipring_report.handlers.asked import jws_asked, open_report, role_asked
from slipring_report.handlers.writes import by_amendment
from slipring_report.lifecycle import RELEASED, TABLE, after_amendment, after_signature
from slipring_report.reading import subject_of
from slipring_report.rendering.frame import Signed
from slipring_report.rendering.released import released
from slipring_report.resources import parameters, reference, versioned
from slipring_report.signatures.attempt import Attempt, OnFile, attempted, demand_signed_here
from slipring_report.signatures.chain import chain_of, named
from slipring_report.signatures.facts import shown
from slipring_report.signatures.freshness import passed_by, stale_copies
from slipring_report.signatures.gathering import gathered, signatures_of
from slipring_report.signatures.receipts import sealed_receipt
from slipring_report.signatures.resources import as_provenance
from slipring_report.signatures.stamping import to_be_stamped
from slipring_report.signatures.telling import told
from slipring_report.signatures.voiding import SIGNATURES_STAND, back_to_draft, signatures_voided
from slipring_report.visibility import EMERGENCY, believed
from slipring_report.vocabulary import EMERGENCY_RELEASE

_UNDER_ONE = "急诊单签 · 初步报告，待第二医师审核 Preliminary: released in an emergency under one signature, to be read a second time"


async def report_signed(call: Call, desk: Desk) -> Changes:
    """Take one signature: judge it, record it, move the report on; release it with the last one."""
    report, role, jws = open_report(call), role_asked(call), jws_asked(call)
    parts = await gathered(report, desk)
    on_file = OnFile(parts, parts.form(), await signatures_of(report.reference, desk))
    demand_signed_here(on_file)
    await demand_all_kept(parts, desk)
    stale = await stale_copies(report, desk)
    if any(each.form_sha256 != on_file.form.sha256 for each in on_file.standing):  # a followed result changed
        if believed(report.resource):
            raise by_amendment("DiagnosticReport.result")
        voided = signatures_voided(report.reference, subject_of(report.resource), on_file.standing, desk)
        return voided.plus(_content_moved(report))
    reason = await emergency_asked(call, on_file, desk)
    chain = named("emergency") if reason else chain_of(report.resource, desk.settings)
    await demand_not_contradicted(report, desk)
    attempt = await attempted(on_file, jws, role, chain, desk)
    if attempt.findings or attempt.person is None:
        return _refused(attempt.findings, report, desk)
    if asked := await unanswered(parts, desk):
        return asked
    taken = await _taken(on_file, attempt, attempt.person, reason, desk)
    if stale:
        passed = passed_by(attempt.who.person, stale, report, subject_of(report.resource), desk)
        taken = taken.plus(Changes(save=[passed]))
    return taken


async def _taken(on_file: OnFile, attempt: Attempt, person: Stored, emergency: Resource | None, desk: Desk) -> Changes:
    """The signature on record and the report moved on: in place, or as the next version of the one it amends."""
    report, said = on_file.report, await told(on_file.report, desk, signer=attempt.who.person)
    amendment = amendment_of(report.resource) if amends(report.resource) else None
    if on_file.number < attempt.chain.length:
        amendment = None  # a draft still
    stands_as = amendment.report if amendment else report.reference
    status = (
        move(TABLE, report.resource["status"], "signed")
        if emergency
        else await _status(on_file, attempt, amendment, desk)
    )
    provenance = await _provenance(on_file, attempt, person, status, desk)
    members: Resource = {"status": status}
    if status in RELEASED or emergency:
        hashes = [*(each.sha256 for each in on_file.standing), jws_sha256(attempt.jws)]
        mine = Signed(attempt.who.person, attempt.judged.role, attempt.who.level, desk.now)
        people = [*shown(on_file.standing), mine]
        words = [_UNDER_ONE] if emergency else []
        members |= await released(on_file.parts, stands_as, on_file.form.sha256, hashes, people, desk, standing=words)
    if amendment:
        earlier = [each.provenance for each in on_file.standing]
        moved = await released_as_next(on_file.parts, amendment, members, earlier, provenance, desk)
    else:
        moved = _in_place(report, members, provenance, emergency, attempt.who.person, desk)
    if status in RELEASED:
        moved = moved.plus(await second_read_closed(stands_as, attempt.who.person, desk))
    answer = parameters(
        ("report", "Reference", reference(stands_as)),
        ("provenance", "Reference", reference(f"Provenance/{provenance['id']}")),
        *[("issue", "resource", issue) for issue in said],
    )
    requires = [*on_file.parts.requires, *attempt.requires]
    wake = to_be_stamped(f"Provenance/{provenance['id']}", desk)
    return moved.plus(Changes(save=[*map(Save, said)], require=requires, wake=wake, answer=answer))


def _in_place(
    report: Stored, members: Resource, provenance: Resource, emergency: Resource | None, signer: str, desk: Desk
) -> Changes:
    """The next version of the report itself; in an emergency tagged, with the second read that must follow."""
    if emergency:
        said = {"url": EMERGENCY_RELEASE, "valueCodeableConcept": emergency}
        record = {**provenance, "extension": [*provenance["extension"], said]}
        moved = Changes(save=[successor(report, **members, meta=tagged(report.resource)), Save(record)])
        return moved.plus(second_read_opened(report.resource, emergency, signer, desk))
    if members["status"] in RELEASED:
        members = {**members, "meta": tagged_without(report.resource.get("meta", {}), EMERGENCY)}
    return Changes(save=[successor(report, **members), Save(provenance)])


async def _status(on_file: OnFile, attempt: Attempt, amendment: Amendment | None, desk: Desk) -> str:
    """What the report is after this signature; `amendment`: what it releases, when it is the last one on such a draft."""
    if amendment:
        return after_amendment((await demand_unchanged(amendment, desk)).resource["status"], amendment.kind)
    before = any(each.reached in RELEASED for each in on_file.every)
    return after_signature(
        on_file.report.resource["status"], on_file.number, attempt.chain.length, released_before=before
    )


async def _provenance(on_file: OnFile, attempt: Attempt, person: Stored, status: str, desk: Desk) -> Resource:
    stands_as = f"DiagnosticReport/{as_it_will_stand(on_file.report.resource)['id']}"
    return as_provenance(
        attempt.jws,
        attempt.judged,
        on_file.form,
        id=desk.new_id(),
        targets=[versioned(part) for part in on_file.parts.parts],
        person=person,
        roles=attempt.roles,
        who=attempt.who,
        reached=status,
        chain_length=attempt.chain.length,
        now=desk.now,
        as_of=await desk.as_of("order"),
        seal=sealed_receipt(stands_as, on_file.form.sha256, attempt.judged, desk),
    )


def _refused(findings: Sequence[Finding], report: Stored, desk: Desk) -> Changes:
    """The refusal is itself evidence: each finding stays on record, then all are answered at once."""
    subject = subject_of(report.resource)
    records = [
        Save(as_detected_issue(each, id=desk.new_id(), subject=subject, about=report.reference, now=desk.now))
        for each in findings
    ]
    issues = [Issue("business-rule", zh=each.zh, en=each.en, at=each.at, detail=each.rule) for each in findings]
    return Changes(save=records, refuse=FhirError(422, issues))


def _content_moved(report: Stored) -> Changes:
    told = unprocessable(SIGNATURES_STAND.en, SIGNATURES_STAND.zh, at=SIGNATURES_STAND.at, detail=SIGNATURES_STAND.rule)
    return Changes(save=[back_to_draft(report)], refuse=told)
