"""Consent on the tablet: the exact text is shown, explained, signed by pen, and sealed by the service."""

from __future__ import annotations

import base64
import io
from datetime import timedelta

from PIL import Image, ImageDraw

from slipring_demo.cast import C
from slipring_demo.scene import Cast, Scene, Tree
from slipring_demo.teller import parameters, value_of

_SIGNATURE = {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.7"}
_IOHEXOL = {"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB02", "display": "iohexol"}]}


def consent_signed(scene: Scene) -> Tree:
    """The text for this exam, signed by the patient and explained by the nurse; anybody may verify it."""
    teller = scene.teller
    planned = parameters(
        request=("Reference", {"reference": scene.exam}),
        language=("Code", "zh-CN"),
        agent=("CodeableConcept", _IOHEXOL | {"text": "碘海醇 350"}),
        dose=(
            "Quantity",
            {"value": scene.contrast_ml, "unit": "mL", "system": "http://unitsofmeasure.org", "code": "mL"},
        ),
    )
    text = teller.ask("POST", "DocumentReference/$consent-text", planned)
    explained = scene.moment()
    signed = teller.ask("POST", "Consent/$sign", _handed_in(scene, text, explained))
    consent: Tree = value_of(signed, "consent")
    teller.must(consent["status"] == "active", "the patient has signed the text that was shown, by pen")
    verdict = teller.ask("POST", f"Consent/{consent['id']}/$verify", parameters())
    teller.must(value_of(verdict, "verdict") == "stands", "text, signature and the service's seal stand")
    return consent


def _handed_in(cast: Cast, text: Tree, explained: str) -> Tree:
    consent = {
        "resourceType": "Consent",
        "status": "proposed",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "treatment"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": cast.subject,
        "performer": [cast.subject],
        "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
        "sourceReference": {"reference": f"DocumentReference/{text['id']}"},
        "extension": [{"url": f"{C}/StructureDefinition/capacity", "valueCodeableConcept": _capacity("full")}],
        "verification": [
            {
                "verified": True,
                "verificationDate": explained,
                "extension": [{"url": f"{C}/StructureDefinition/explained-by", "valueReference": cast.person("nurse")}],
            }
        ],
        "provision": {
            "type": "permit",
            "period": {"start": cast.moment(timedelta(minutes=-1)), "end": cast.moment(timedelta(hours=24))},
            "data": [{"meaning": "instance", "reference": {"reference": cast.exam}}],
        },
    }
    when = cast.moment()
    by_pen = {"sigFormat": "image/png", "data": base64.b64encode(_strokes()).decode()}
    patient = {"type": [_SIGNATURE], "when": when, "who": cast.subject} | by_pen
    nurse = {"type": [_SIGNATURE], "when": when, "who": cast.person("nurse")}
    named = parameters(signature=("Signature", patient), clinician=("Signature", nurse))
    return named | {"parameter": [{"name": "consent", "resource": consent}, *named["parameter"]]}


def _capacity(code: str) -> Tree:
    return {"coding": [{"system": f"{C}/CodeSystem/capacity", "code": code}]}


def _strokes() -> bytes:
    """What a signature pad gives: dark strokes on nothing."""
    image = Image.new("RGBA", (400, 160), (0, 0, 0, 0))
    ImageDraw.Draw(image).line([(30, 120), (90, 40), (150, 120), (210, 50), (360, 90)], fill=(10, 10, 60, 255), width=4)
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()
