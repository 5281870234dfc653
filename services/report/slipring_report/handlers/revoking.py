"""A certificate is taken back, with a reason and since when; what was signed before stands (mechanisms: time of the seal)."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.fhir.outcome import conflict, invalid, unprocessable
from slipring.fhir.search.moment import zoned
from slipring.fhir.service import Call, Changes, Desk, Stored, successor
from slipring.signing.policy import revocation_reasons
from slipring.signing.revocation import Revoked

from slipring_report.certificates.lists import own_lists
from slipring_report.certificates.reading import (
    begins_at,
    holder_of,
    is_certificate,
    revocation_of,
)
from slipring_report.certificates.register import renewals_of
from slipring_report.certificates.resources import as_revoked
from slipring_report.handlers.certificates import APPROVES, ending_timer
from slipring_report.reading import reference_of
from slipring_report.resources import parameters, reference, written
from slipring_report.worklist.people import demand_allowed


async def certificate_revoked(call: Call, desk: Desk) -> Changes:
    """Its holder, or whoever may approve certificates, takes it back; the answer names the signatures that fall by it."""
    document, person = _standing(call), desk.caller.practitioner
    if not person:
        raise unprocessable(
            "A certificate is taken back by a person who is signed in.",
            "撤销证书须由登录的个人进行。",
            at=call.at("reason"),
            detail="report.certificate-person",
        )
    if person != holder_of(document.resource):
        await demand_allowed(person, APPROVES, "DocumentReference.subject", desk)
    taken = Revoked(_since(call, document, desk), _reason(call))
    extension = as_revoked(document.resource, taken, person, desk.now)
    renewals = [
        successor(one, status="cancelled")
        for one in await renewals_of(holder_of(document.resource), desk)
        if reference_of(one.resource.get("focus")) == document.reference
    ]
    fallen = await desk.search(f"Provenance?agent={holder_of(document.resource)}&recorded=ge{written(taken.at)}")
    return Changes(
        save=[successor(document, status="superseded", extension=extension), *renewals],
        cancel=[ending_timer(document.reference)],
        answer=parameters(
            ("certificate", "Reference", reference(document.reference)),
            *[("signature", "Reference", reference(one.reference)) for one in fallen if "signature" in one.resource],
        ),
    )


async def list_asked(call: Call, desk: Desk) -> Changes:
    """The lists of all authorities whose keys lie here, made afresh: for consent, for a HIS, for a verifier elsewhere."""
    made = await own_lists(desk)
    return Changes(answer=parameters(("list", "String", made.decode("ascii"))) if made else parameters())


def _standing(call: Call) -> Stored:
    document = call.target
    if document is None or not is_certificate(document.resource):
        raise unprocessable(
            "This is called on a signing certificate that was issued here.",
            "该操作须针对在此签发的签名证书调用。",
            at="DocumentReference.type",
            detail="report.no-certificate",
        )
    if revocation_of(document.resource):
        raise conflict(
            "This certificate was taken back before.",
            "该证书此前已被撤销。",
            at="DocumentReference.status",
            detail="report.certificate-taken-back",
        )
    return document


def _reason(call: Call) -> str:
    given = call.value("reason")
    if given in revocation_reasons():
        return str(given)
    known = ", ".join(revocation_reasons())
    raise invalid(
        f"reason is one of {known}.",
        f"reason 须为以下之一：{known}。",
        at=call.at("reason"),
        detail="report.revocation-reason",
    )


def _since(call: Call, document: Stored, desk: Desk) -> datetime:
    """Since when; now when nothing is said, never in the future, never before the certificate began."""
    given = call.value("since")
    since = zoned(given) if given else desk.now
    if since is None or not begins_at(document.resource) <= since <= desk.now:
        raise invalid(
            "since is a moment with its zone, not before the certificate began and not in the future.",
            "since 须为带时区的时间，不早于证书生效，也不晚于现在。",
            at=call.at("since"),
            detail="report.revocation-since",
        )
    # Lists know whole seconds: the record says the same, and what was signed earlier in this second stands.
    return since if not since.microsecond else since.replace(microsecond=0) + timedelta(seconds=1)
