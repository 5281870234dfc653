"""What a tablet does to obtain a consent: ask for the text, have it signed, send both."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image, ImageDraw
from slipring.fhir.service import CANONICAL as C
from slipring_consent.consenting.facts import CAPACITY, EXPLAINED_BY, REPRESENTATION

Tree = dict[str, Any]
IOHEXOL = {
    "coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB02", "display": "iohexol"}],
    "text": "碘海醇 350",
}
DOSE = {"value": 80, "unit": "mL", "system": "http://unitsofmeasure.org", "code": "mL"}
CONSENT_SIGNATURE = {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.7"}


def a_png(*, strokes: bool = True, size: tuple[int, int] = (400, 160)) -> bytes:
    """The image a signature pad gives: transparent, with dark strokes, or without any."""
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    if strokes:
        line = [(30, 120), (80, 40), (130, 120), (180, 40), (360, 90)]
        ImageDraw.Draw(image).line(line, fill=(10, 10, 60, 255), width=4)
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def a_signature(who: str, when: str, data: bytes | None = None, form: str = "image/png") -> Tree:
    """A Signature datatype: by pen unless said otherwise."""
    content = a_png() if data is None else data
    return {
        "type": [CONSENT_SIGNATURE],
        "when": when,
        "who": {"reference": who},
        "sigFormat": form,
        "data": base64.b64encode(content).decode(),
    }


def named(who: str, when: str) -> Tree:
    """A signature that only names a person."""
    return {"type": [CONSENT_SIGNATURE], "when": when, "who": {"reference": who}}


def to_sign(patient: str, exam: str, text: str, informer: str, explained_at: str, **members: Any) -> Tree:
    """The consent that a tablet hands to `$sign`, for who is of age and decides for himself."""
    return {
        "resourceType": "Consent",
        "status": "proposed",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "treatment"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": patient},
        "performer": [{"reference": patient}],
        "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
        "sourceReference": {"reference": text},
        "extension": [capacity("full")],
        "verification": [
            {
                "verified": True,
                "verificationDate": explained_at,
                "extension": [{"url": EXPLAINED_BY, "valueReference": {"reference": informer}}],
            }
        ],
        "provision": {"type": "permit", "data": [{"meaning": "instance", "reference": {"reference": exam}}]},
        **members,
    }


def capacity(code: str) -> Tree:
    """What whoever explained says of the patient's capacity."""
    return {"url": CAPACITY, "valueCodeableConcept": {"coding": [{"system": f"{C}/CodeSystem/capacity", "code": code}]}}


def representation(code: str) -> Tree:
    """Why somebody else signs."""
    coded = {"coding": [{"system": f"{C}/CodeSystem/representation", "code": code}]}
    return {"url": REPRESENTATION, "valueCodeableConcept": coded}


def called(**values: Any) -> Tree:
    """A Parameters resource: a resource, or a (type, value) pair."""
    entries = [
        {"name": name, "resource": value} if isinstance(value, dict) else {"name": name, f"value{value[0]}": value[1]}
        for name, value in values.items()
    ]
    return {"resourceType": "Parameters"} | ({"parameter": entries} if entries else {})
