"""`Consent/$sign`: the consent, its signatures and the service's seal over both and the text shown, in one commit."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Changes, Desk, Require, Resource, Save, Stored
from slipring.rules.finding import Finding

from slipring_consent.consenting.exception import approvals_given
from slipring_consent.consenting.judging import weighed
from slipring_consent.consenting.offered import CONSENT_AT, Offered, issues_of, offered
from slipring_consent.consenting.resources import as_signed, with_kind
from slipring_consent.consenting.signature import signed_at
from slipring_consent.consenting.statement import CONSENT_SIGNATURE, sealed
from slipring_consent.handlers.consents import marked_by_hand, refusal_issues, refused
from slipring_consent.lifecycle import CONSENT, illegal
from slipring_consent.reading import reference_of
from slipring_consent.verdicts import on_record


async def consent_signed(call: Call, desk: Desk) -> Changes:
    """Take a consent or a refusal with its signature; every reason against it is answered at once."""
    one = await offered(call, desk)
    state = one.before.resource["status"] if one.before else "none"
    error = illegal(CONSENT, state, one.consent["status"], f"{CONSENT_AT}.status") or marked_by_hand(
        call.value("consent"), None
    )
    if error:
        return Changes(refuse=error)
    findings: Sequence[Finding] = ()
    issues = await issues_of(one, call, desk)
    if one.decision == "permit":
        at = signed_at(one.signatures[0][1], desk) or desk.now
        findings, against = await weighed(one.consent, desk, signed_at=at)
        issues += against
    else:
        issues += refusal_issues(one.consent)
    if issues or one.text is None:
        return Changes(refuse=FhirError(422, issues))
    return await _recorded(one, one.text, findings, desk)


async def _recorded(one: Offered, text: Stored, findings: Sequence[Finding], desk: Desk) -> Changes:
    """The consent with the record of its signatures, sealed; a refusal ends what was given before."""
    version = one.before.version if one.before else None
    reference, patient = f"Consent/{one.consent['id']}", reference_of(one.consent["patient"])
    signatures = [(name, with_kind(signature)) for name, signature in one.signatures]
    seal = sealed(one.consent, one.decision, one.text_sha256, [signature for _, signature in signatures], desk)
    provenance = as_signed(
        desk.new_id(), reference, (version or 0) + 1, text.reference, signatures, seal, patient=patient, now=desk.now
    )
    record = {"reference": f"Provenance/{provenance['id']}"}
    pointer = {"url": CONSENT_SIGNATURE, "valueReference": record}
    consent: Resource = {**one.consent, "extension": [*one.consent.get("extension", []), pointer]}
    saves = [
        Save(consent, replaces=version),
        Save(provenance),
        *on_record(findings, desk, patient=patient, about=reference),
    ]
    saves += await (refused if one.decision == "deny" else approvals_given)(consent, desk)
    answer = [{"name": "consent", "resource": consent}, {"name": "provenance", "valueReference": record}]
    return Changes(
        save=saves,
        require=[Require(text.reference, text.version)],
        answer={"resourceType": "Parameters", "parameter": answer},
    )
