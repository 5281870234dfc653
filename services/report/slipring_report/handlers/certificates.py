"""A signing certificate is asked for by its future holder and issued once a second person has approved it (5.7.1)."""

from __future__ import annotations

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from slipring.fhir.outcome import FhirError, Issue, conflict, invalid, refusal, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Due, Require, Resource, Save, Stored, Wake, Write, successor
from slipring.signing.certificate import Authority, issue
from slipring.signing.chain import CertificateRefused, check_chain
from slipring.signing.policy import ending_soon, reason
from slipring.signing.request import check_request

from slipring_report.certificates.reading import csr_of, ends_at, is_certificate, is_request
from slipring_report.certificates.register import certificates_of, renewals_of
from slipring_report.certificates.resources import as_certificate, as_renewal, decided, name_of
from slipring_report.reading import reference_of
from slipring_report.resources import parameters, reference, written
from slipring_report.signatures.facts import licences
from slipring_report.signatures.trusting import trusted
from slipring_report.worklist.people import demand_allowed

ENDING = "certificate-ending"
APPROVES = "approve-certificate"  # the act of slipring.staff
_MAY_DIFFER = frozenset({"status", "statusReason", "meta", "lastModified", "text", "note"})


async def request_written(write: Write, desk: Desk) -> Changes:
    """A person asks for a certificate for himself, with a request that proves that he holds the key."""
    task, before = write.resource, write.before.resource if write.before else None
    if before is not None or not is_request(task):
        return _withdrawn(before, task, desk)
    person = _person(desk, "Task.for")
    if reference_of(task.get("for")) not in ("", person) or task["status"] != "requested":
        raise unprocessable(
            "A certificate is asked for by its future holder himself, as a Task that is requested.",
            "签名证书须由本人申请，任务状态为 requested。",
            at="Task.for" if task["status"] == "requested" else "Task.status",
            detail="report.certificate-for-oneself",
        )
    if await desk.read(person) is None:
        raise unprocessable(
            "Whoever asks is not on the staff register here (yet).",
            "申请人（尚）未在此处的人员登记中。",
            at="Task.for",
            code="not-found",
            detail="report.certificate-holder-unknown",
        )
    _checked(task, desk)
    return Changes(
        members={"for": reference(person), "requester": reference(person), "authoredOn": written(desk.now)},
    )


async def request_decided(call: Call, desk: Desk) -> Changes:
    """The second person's word: the certificate is issued and kept, or the request is refused with a reason."""
    task, person = _request(call), _person(desk, call.at("decision"))
    decision, why = call.value("decision"), str(call.value("reason") or "").strip()
    if decision not in ("approve", "refuse") or (decision == "refuse" and not why):
        raise invalid(
            "decision is approve, or refuse with a reason.",
            "decision 须为 approve，或 refuse 并注明 reason。",
            at=call.at("decision"),
            detail="report.certificate-decision",
        )
    holder = await _other_person(task, person, desk)
    await demand_allowed(person, APPROVES, "Task.owner", desk)
    if decision == "refuse":
        refused = decided(task.resource, person, desk.now, reason=why)
        return Changes(save=[Save(refused, replaces=task.version)], answer=parameters(("task", "resource", refused)))
    chain = _issued(task, holder, desk)
    document = as_certificate(desk.new_id(), chain, task.resource, person, desk.now)
    certificate = f"DocumentReference/{document['id']}"
    done = decided(task.resource, person, desk.now, certificate=certificate)
    renewals = [successor(one, status="completed") for one in await renewals_of(holder.reference, desk)]
    warned = max(ends_at(document) - ending_soon() - desk.now, timedelta())
    return Changes(
        save=[Save(document), Save(done, replaces=task.version), *renewals],
        require=[Require(holder.reference, holder.version)],
        wake=[Wake(ENDING, certificate, warned, key=ending_timer(certificate))],
        answer=parameters(
            ("task", "resource", done),
            ("certificate", "Reference", reference(certificate)),
            ("chain", "String", chain.decode("ascii")),
        ),
    )


async def certificate_ending(due: Due, desk: Desk) -> Changes:
    """A certificate ends soon: its holder is told, unless he has a later one."""
    document = await desk.read(due.subject)
    if document is None or not is_certificate(document.resource) or document.resource["status"] != "current":
        return Changes.none()
    others = await certificates_of(reference_of(document.resource["subject"]), desk)
    if any(ends_at(one.resource) > ends_at(document.resource) for one in others):
        return Changes.none()
    return Changes(save=[Save(as_renewal(desk.new_id(), document.resource, desk.now))])


async def document_written(write: Write, desk: Desk) -> Changes:
    """A certificate's record is made and changed by the operations on it, never by hand."""
    trees = [write.resource, *([write.before.resource] if write.before else [])]
    if any(map(is_certificate, trees)):
        raise unprocessable(
            "A certificate is issued by Task/$decide-certificate and taken back by $revoke-certificate only.",
            "证书只能由 Task/$decide-certificate 签发，由 $revoke-certificate 撤销。",
            at="DocumentReference.type",
            detail="report.certificate-by-operation",
        )
    return Changes.none()


def ending_timer(certificate: str) -> str:
    """The key of the timer that warns of a certificate's end."""
    return f"certificate:{certificate}"


def _withdrawn(before: Resource | None, task: Resource, desk: Desk) -> Changes:
    """Whoever asked may take his request back; everything else about it is the service's."""
    if before is not None and is_request(before) and before["status"] == "requested" and task["status"] == "cancelled":
        kept = {name: before[name] for name in before if name not in _MAY_DIFFER}
        same = kept == {name: task[name] for name in task if name not in _MAY_DIFFER}
        if same and desk.caller.practitioner == reference_of(before.get("requester")):
            return Changes.none()
    raise unprocessable(
        "A request for a certificate is decided by $decide-certificate; whoever asked may cancel it.",
        "证书申请由 $decide-certificate 决定；申请人可以取消。",
        at="Task.status",
        detail="report.certificate-request-by-operation",
    )


def _person(desk: Desk, at: str) -> str:
    if desk.caller.practitioner:
        return desk.caller.practitioner
    raise unprocessable(
        "This is done by a person who is signed in, not by a system.",
        "该操作须由登录的个人进行，不能由系统代办。",
        at=at,
        detail="report.certificate-person",
    )


def _request(call: Call) -> Stored:
    task = call.target
    if task is None or not is_request(task.resource):
        raise unprocessable(
            "This is called on a request for a certificate (a Task of code certificate-request).",
            "该操作须针对证书申请（代码 certificate-request 的 Task）调用。",
            at="Task.code",
            detail="report.no-certificate-request",
        )
    if task.resource["status"] != "requested":
        raise conflict(
            f"This request is {task.resource['status']}; it was decided.",
            f"该申请状态为 {task.resource['status']}，已有决定。",
            at="Task.status",
            detail="report.certificate-decided",
        )
    return task


async def _other_person(task: Stored, person: str, desk: Desk) -> Stored:
    """The holder, once it is certain that the one who decides is somebody else."""
    named = reference_of(task.resource["for"])
    holder, decider = await desk.read(named), await desk.read(person)
    if holder is None:
        raise conflict(
            "Whoever asked is no longer on the staff register.",
            "申请人已不在人员登记中。",
            at="Task.for",
            detail="report.certificate-holder-gone",
        )
    same_licence = decider is not None and licences(holder.resource) & licences(decider.resource)
    if person in (named, reference_of(task.resource.get("requester"))) or same_licence:
        raise refusal(
            403,
            "forbidden",
            "A certificate is approved by another person than the one who asked for it.",
            "证书须由申请人以外的另一人批准。",
            at="Task.requester",
            detail="report.certificate-second-person",
        )
    return holder


def _checked(task: Resource, desk: Desk) -> bytes:
    """The request once it is proved and its key is fit; 422 at the input that is wrong."""
    asked = csr_of(task).encode("utf-8", "replace")
    try:
        check_request(asked, desk.settings.algorithms)
    except CertificateRefused as refused:
        told = reason(refused.code)
        at = "Task.input.where(type.coding.code='csr').value"
        raise FhirError(
            422, [Issue("business-rule", zh=told.zh, en=told.en, at=at, detail=f"report.certificate-{refused.code}")]
        ) from None
    return asked


def _issued(task: Stored, holder: Stored, desk: Desk) -> bytes:
    """The chain for the holder; 503 where no key of a trusted authority lies here."""
    authority: Authority | None = desk.settings.authority()
    asked = _checked(task.resource, desk)
    if authority is not None:
        chain = issue(authority, asked, holder.reference, name_of(holder.resource), now=desk.now)
        der = [one.public_bytes(serialization.Encoding.DER) for one in x509.load_pem_x509_certificates(chain)]
        try:
            check_chain(der, trusted(desk), desk.now)
            return chain
        except CertificateRefused:  # an outside authority is trusted alone, or our own has ended
            pass
    raise refusal(
        503,
        "exception",
        "No issuing key of an authority that is trusted and valid lies here (slipring certificate setup).",
        "此处没有受信任且有效的签发密钥（slipring certificate setup）。",
        detail="report.no-issuing-key",
    )
