"""A signature as FHIR says it: the Provenance that records it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime

from slipring.fhir.copies import decided_on
from slipring.fhir.service import Resource, Stored
from slipring.signing.form import FORM, SIGNED_FORM, SignedForm
from slipring.signing.jws import Judged
from slipring.signing.policy import purpose
from slipring.signing.receipt import SIGNATURE_SEAL
from slipring.staff.facts import QUALIFICATION_SYSTEM, ROLE_SYSTEM, TITLE_SYSTEM

from slipring_report.resources import coded, reference, versioned, written
from slipring_report.signatures.facts import Signer
from slipring_report.vocabulary import QUALIFICATION, REPORT_STATUS, SIGNING_ROLE, SUPERSEDED, VOIDED

_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def as_provenance(
    jws: str,
    judged: Judged,
    form: SignedForm,
    *,
    id: str,
    targets: Sequence[str],
    person: Stored,
    roles: Sequence[Stored],
    who: Signer,
    reached: str,
    chain_length: int,
    now: datetime,
    as_of: datetime | None,
    seal: str,
) -> Resource:
    """One signature: the JWS, what it covers by version, the signer's qualification, the copies' time, the service's seal."""
    declared = purpose(judged.role)
    return {
        "resourceType": "Provenance",
        "id": id,
        "extension": [
            {
                "url": SIGNED_FORM,
                "extension": [
                    {"url": "form", "valueUri": FORM},
                    {"url": "sha256", "valueString": form.sha256},
                    {"url": "of", "valuePositiveInt": chain_length},
                ],
            },
            {"url": QUALIFICATION, "extension": _qualification(person, roles, who)},
            {"url": SIGNATURE_SEAL, "valueString": seal},
            *([decided_on("order", as_of)] if as_of else []),
        ],
        "target": [reference(target) for target in targets],
        "occurredDateTime": written(judged.signed_at or now),
        "recorded": written(now),
        "activity": coded(REPORT_STATUS, reached),
        "agent": [
            {
                "type": coded(_PARTICIPATION, "author" if judged.role == "author" else "verifier"),
                "role": [coded(SIGNING_ROLE, judged.role)],
                "who": reference(judged.signer),
            }
        ],
        "signature": [
            {
                "type": [{"system": declared.system, "code": declared.code, "display": declared.en}],
                "when": written(judged.signed_at or now),
                "who": reference(judged.signer),
                "targetFormat": "application/json",
                "sigFormat": "application/jose",
                "data": base64.b64encode(jws.encode("ascii")).decode(),
            }
        ],
    }


def as_voided(provenance: Resource, now: datetime) -> list[Resource]:
    """The extensions of a Provenance whose signature no longer stands."""
    return [*provenance.get("extension", []), {"url": VOIDED, "valueInstant": written(now)}]


def as_superseded(provenance: Resource, now: datetime) -> list[Resource]:
    """The extensions of a Provenance whose signature stands on an earlier version."""
    return [*provenance.get("extension", []), {"url": SUPERSEDED, "valueInstant": written(now)}]


def _qualification(person: Stored, roles: Sequence[Stored], who: Signer) -> list[Resource]:
    parts: list[Resource] = [{"url": "practitioner", "valueReference": reference(versioned(person))}]
    if who.level:
        parts.append({"url": "level", "valueCode": who.level})
    parts += [{"url": "licence", "valueIdentifier": {"value": number}} for number in who.licences]
    systems = {TITLE_SYSTEM, QUALIFICATION_SYSTEM}
    for entry in person.resource.get("qualification", []):
        if any(coding.get("system") in systems for coding in entry.get("code", {}).get("coding", [])):
            held: list[Resource] = [{"url": "code", "valueCodeableConcept": entry["code"]}]
            if "period" in entry:
                held.append({"url": "period", "valuePeriod": entry["period"]})
            parts.append({"url": "qualification", "extension": held})
    for role in roles:
        parts.append({"url": "roleRecord", "valueReference": reference(versioned(role))})
        parts += [
            {"url": "role", "valueCodeableConcept": concept}
            for concept in role.resource.get("code", [])
            if any(coding.get("system") == ROLE_SYSTEM for coding in concept.get("coding", []))
        ]
    return parts
