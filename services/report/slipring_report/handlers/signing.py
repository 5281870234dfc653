"""`$signing-input` and `$sign`: what is signed, and by whom."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.outcome import FhirError, Issue, conflict, invalid, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Require, Resource, Save, Stored, successor
from slipring.rules.finding import Finding, Weight
from slipring.rules.limits import LimitBook
from slipring.rules.rulebook import check
from slipring.signing.jws import judge, jws_sha256
from slipring.signing.policy import ROLES, Reason
from slipring.staff import missing, staff_facts

from slipring_report.drafts.reactions import as_told, draft_facts
from slipring_report.lifecycle import RELEASED, after_signature
from slipring_report.reading import subject_of
from slipring_report.rendering.html import as_attachment, rendering
from slipring_report.rendering.release import sealed_rendering
from slipring_report.resources import parameters, reference, versioned, written
from slipring_report.rules import DRAFT_RULES, SIGNING_RULES
from slipring_report.signatures.facts import Signature, signer, signing_facts
from slipring_report.signatures.freshness import passed_by, stale_copies
from slipring_report.signatures.gathering import Gathered, gathered, open_mismatches, roles_of, signatures_of
from slipring_report.signatures.receipts import sealed_receipt
from slipring_report.signatures.resources import as_provenance
from slipring_report.signatures.trusting import revocations, trusted
from slipring_report.signatures.voiding import SIGNATURES_STAND, back_to_draft, signatures_voided

_NO_LIMITS = LimitBook({})
_OPEN = ("partial", "preliminary")
_NOT_NEW = Reason("already-used", "该签名已被使用过。", "This signature has been used before.")


async def signing_input_asked(call: Call, desk: Desk) -> Changes:
    """Give what is to be signed and how it reads; nothing is stored."""
    report = _open_report(call)
    parts = await gathered(report, desk)
    _role(call)
    form = parts.form()
    content = _rendered(parts, form.sha256)
    return Changes(
        answer=parameters(
            ("payload", "Base64Binary", base64.b64encode(form.payload).decode()),
            ("sha256", "String", form.sha256),
            ("form", "Uri", form.uri),
            ("rendering", "Attachment", as_attachment(content)),
            *[("version", "Reference", reference(versioned(part))) for part in parts.parts],
            *[("issue", "resource", _not_kept(issue)) for issue in await _told(report, desk)],
        )
    )


async def report_signed(call: Call, desk: Desk) -> Changes:
    """Take one signature: judge it, record it, move the report on; release it with the last one."""
    report, role, jws = _open_report(call), _role(call), _jws(call)
    parts = await gathered(report, desk)
    every = await signatures_of(report.reference, desk)
    standing = [each for each in every if not each.voided]
    if bool(standing) != (report.resource["status"] == "preliminary"):
        raise conflict(
            "This report was not signed here; only drafts made here are signed.",
            "该报告并非在本系统签名；只有在本系统书写的草稿才能签名。",
            at="DiagnosticReport.status",
            detail="report.not-signed-here",
        )
    stale = await stale_copies(report, desk)
    form = parts.form()
    if any(each.form_sha256 != form.sha256 for each in standing):  # a followed result changed under the signature
        voided = signatures_voided(report.reference, subject_of(report.resource), standing, desk)
        return voided.plus(_content_moved(report))
    judged = judge(
        jws,
        form.payload,
        trust_pem=trusted(desk),
        at=desk.now,
        role=role,
        prev=standing[-1].sha256 if standing else "",
        algorithms=desk.settings.algorithms,
        revoked=await revocations(desk),
    )
    reasons = [*judged.reasons, *([_NOT_NEW] if _used(jws, every) else [])]
    person = await desk.read(judged.signer) if judged.signer else None
    roles = await roles_of(judged.signer, desk) if person else []
    chain = desk.settings.chain_length
    staff = staff_facts(
        person.resource if person else None, [each.resource for each in roles], desk.now, zone=desk.settings.time_zone
    )
    who = signer(judged.signer, person.resource if person else None, staff)
    lacks = missing("sign-report" if len(standing) + 1 == chain else "first-sign", staff) if judged.signer else []
    facts = signing_facts(who, role, standing, chain, lacks, await open_mismatches(report.resource, desk))
    findings = [_finding(reason) for reason in reasons]
    if judged.signer:
        findings += check(facts, SIGNING_RULES, _NO_LIMITS.on(staff.day), desk.now)
    if findings or person is None:
        return _refused(findings, report, desk)
    status = after_signature(
        report.resource["status"], facts.number, chain, released_before=any(e.reached in RELEASED for e in every)
    )
    provenance = as_provenance(
        jws,
        judged,
        form,
        id=desk.new_id(),
        targets=[versioned(part) for part in parts.parts],
        person=person,
        roles=roles,
        who=who,
        reached=status,
        now=desk.now,
        as_of=await desk.as_of("order"),
        seal=sealed_receipt(report.reference, form.sha256, judged, desk),
    )
    members: Resource = {"status": status}
    if status in RELEASED:
        members |= _released(parts, form.sha256, [*(each.sha256 for each in standing), jws_sha256(jws)], desk)
    told = await _told(report, desk, signer=judged.signer)
    return Changes(
        save=[
            successor(report, **members),
            Save(provenance),
            *map(Save, told),
            *([passed_by(judged.signer, stale, report, subject_of(report.resource), desk)] if stale else []),
        ],
        require=[*parts.requires, *[Require(each.reference, each.version) for each in (person, *roles)]],
        answer=parameters(
            ("report", "Reference", reference(report.reference)),
            ("provenance", "Reference", reference(f"Provenance/{provenance['id']}")),
            *[("issue", "resource", issue) for issue in told],
        ),
    )


async def _told(report: Stored, desk: Desk, *, signer: str = "") -> list[Resource]:
    """What whoever signs is told and may go on from."""
    facts = await draft_facts(report.resource, desk)
    findings = check(facts, DRAFT_RULES, _NO_LIMITS.on(desk.now.date()), desk.now)
    return as_told(findings, report, facts, desk, signer=signer)


def _not_kept(issue: Resource) -> Resource:
    return {name: value for name, value in issue.items() if name != "id"}


def _released(parts: Gathered, digest: str, signatures: Sequence[str], desk: Desk) -> Resource:
    content = _rendered(parts, digest)
    issued = written(desk.now)
    rendered = sealed_rendering(content, parts.report.reference, digest, signatures, desk, issued)
    return {"issued": issued, "presentedForm": [rendered]}


def _rendered(parts: Gathered, digest: str) -> bytes:
    composition = parts.composition.resource if parts.composition else None
    return rendering(parts.report.resource, composition, [each.resource for each in parts.results], digest)


def _refused(findings: Sequence[Finding], report: Stored, desk: Desk) -> Changes:
    """The refusal is itself evidence: each finding stays on record, then all are answered at once."""
    subject = subject_of(report.resource)
    records = [
        Save(as_detected_issue(each, id=desk.new_id(), subject=subject, about=report.reference, now=desk.now))
        for each in findings
    ]
    issues = [Issue("business-rule", zh=each.zh, en=each.en, at=each.at, detail=each.rule) for each in findings]
    return Changes(save=records, refuse=FhirError(422, issues))


def _finding(reason: Reason) -> Finding:
    return Finding(
        rule=f"report.signature-{reason.code}",
        version="1",
        clause="CL02-A011:5.7.1",
        weight=Weight.STOP,
        zh=reason.zh,
        en=reason.en,
        at="Parameters.parameter.where(name='jws')",
    )


def _content_moved(report: Stored) -> Changes:
    told = unprocessable(SIGNATURES_STAND.en, SIGNATURES_STAND.zh, at=SIGNATURES_STAND.at, detail=SIGNATURES_STAND.rule)
    return Changes(save=[back_to_draft(report)], refuse=told)


def _used(jws: str, every: Sequence[Signature]) -> bool:
    # The header alone decides: an ECDSA value can be rewritten into another valid one by anybody.
    return any(each.jws.partition(".")[0] == jws.partition(".")[0] for each in every)


def one_report(call: Call) -> Stored:
    """The report that an operation is called on."""
    if call.target is None:
        raise invalid(
            "This operation is called on one report.",
            "该操作须针对一份报告调用。",
            detail="report.one-report",
        )
    return call.target


def _open_report(call: Call) -> Stored:
    report = one_report(call)
    if report.resource["status"] not in _OPEN:
        raise conflict(
            f"A report that is {report.resource['status']} takes no signature; {' and '.join(_OPEN)} do.",
            f"状态为 {report.resource['status']} 的报告不能签名；{' 与 '.join(_OPEN)} 可以。",
            at="DiagnosticReport.status",
            detail="report.takes-no-signature",
        )
    return report


def _role(call: Call) -> str:
    role = call.value("role")
    if role not in ROLES:
        raise invalid(
            "role is author, reviewer or chief.",
            "role 须为 author、reviewer 或 chief。",
            at=call.at("role"),
            detail="report.role-unknown",
        )
    return str(role)


def _jws(call: Call) -> str:
    jws = call.value("jws")
    if not isinstance(jws, str) or not jws:
        raise invalid(
            "jws is a detached compact JWS.",
            "jws 须为分离式紧凑 JWS。",
            at=call.at("jws"),
            detail="report.jws-malformed",
        )
    return jws
