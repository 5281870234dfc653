"""Chapter four: screening, consent, and the gate that refuses first."""

from __future__ import annotations

from datetime import timedelta

from slipring_demo.cast import SYNTHETIC, C
from slipring_demo.consenting import consent_signed
from slipring_demo.lots import accepted, received
from slipring_demo.scene import Cast, Scene, Tree

_YES_NO = "http://terminology.hl7.org/CodeSystem/v2-0532"
_ANSWERED_NO = (
    "recent-contrast", "severe-allergies", "asthma", "hyperthyroidism", "radioiodine", "diabetes", "metformin",
    "kidney-disease", "acute-kidney-injury", "kidney-surgery", "dialysis", "hypertension", "gout", "heart-disease",
    "pulmonary-hypertension", "liver-disease", "phaeochromocytoma", "myasthenia", "homocystinuria", "myeloma", "pregnancy",
    "lactation", "beta-blocker", "interleukin-2", "nephrotoxic-drugs",
)  # fmt: skip


def consent_before_contrast(scene: Scene) -> None:
    """No contrast without consent: tried, refused, screened, consented."""
    teller = scene.teller
    teller.say("Contrast: the gate refuses without consent, then opens")
    teller.wait_for(f"Task?based-on={scene.exam}&code=screening", "the Task “screen and obtain consent”")
    received(scene)
    refused = teller.ask("POST", "MedicationAdministration", an_injection(scene), 422)
    teller.must(refused["resourceType"] == "OperationOutcome", "refused, with every reason:")
    for issue in refused["issue"]:
        teller.note(f"  - {issue['details']['text']}")
    accepted(scene)
    teller.created(a_screening(scene))
    consent_signed(scene)


def injection(scene: Scene) -> Tree:
    """Contrast is given, by a qualified nurse, with an observer."""
    administration = scene.teller.ask("POST", "MedicationAdministration", an_injection(scene), 201)
    scene.teller.must(administration["status"] == "in-progress", "the gate is open: contrast may be given")
    administration["status"] = "completed"
    scene.teller.saved(administration)
    scene.teller.wait_for(
        f"Task?focus=MedicationAdministration/{administration['id']}&code=observation",
        "30 minutes of observation have begun",
    )
    return administration


def an_injection(cast: Cast, ml: float | None = None) -> Tree:
    """Contrast is to be given now, from the accepted lot, by the nurse, who also observes."""
    nurse = cast.person("nurse")
    return {
        "resourceType": "MedicationAdministration",
        "meta": SYNTHETIC,
        "status": "in-progress",
        "medicationReference": {"reference": cast.lot},
        "subject": cast.subject,
        "supportingInformation": [{"reference": cast.exam}],
        "effectiveDateTime": cast.moment(),
        "performer": [
            {"actor": nurse},
            {
                "function": {"coding": [{"system": f"{C}/CodeSystem/administration-function", "code": "observer"}]},
                "actor": nurse,
            },
        ],
        "dosage": {
            "dose": {"value": ml or cast.contrast_ml, "unit": "mL", "system": "http://unitsofmeasure.org", "code": "mL"}
        },
    }


def an_egfr(cast: Cast) -> Tree:
    """Renal function of this morning: normal."""
    return {
        "resourceType": "Observation",
        "meta": SYNTHETIC,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "98979-8"}]},
        "subject": cast.subject,
        "effectiveDateTime": cast.moment(timedelta(hours=-2)),
        "valueQuantity": {
            "value": 88,
            "unit": "mL/min/1.73m2",
            "system": "http://unitsofmeasure.org",
            "code": "mL/min/{1.73_m2}",
        },
    }


def a_screening(cast: Cast, reaction: str = "none") -> Tree:
    """The questionnaire, every answer harmless unless there was an earlier reaction."""
    grade = {"valueCoding": {"system": f"{C}/CodeSystem/prior-reaction", "code": reaction}}
    items = [{"linkId": "prior-reaction", "answer": [grade]}]
    if reaction != "none":
        kind = {"valueCoding": {"system": f"{C}/CodeSystem/reaction-type", "code": "allergic-like"}}
        items += [{"linkId": "prior-reaction-kind", "answer": [kind]}]
    items += [{"linkId": link, "answer": [{"valueCoding": {"system": _YES_NO, "code": "N"}}]} for link in _ANSWERED_NO]
    return {
        "resourceType": "QuestionnaireResponse",
        "meta": SYNTHETIC,
        "questionnaire": f"{C}/Questionnaire/contrast-screening|2",
        "status": "completed",
        "basedOn": [{"reference": cast.exam}],
        "subject": cast.subject,
        "authored": cast.moment(),
        "item": items,
    }


def a_consent(cast: Cast) -> Tree:
    """The patient consented on paper; the nurse has explained."""
    return {
        "resourceType": "Consent",
        "meta": SYNTHETIC,
        "status": "active",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "treatment"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": cast.subject,
        "dateTime": cast.moment(),
        "performer": [cast.subject],
        "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
        "sourceAttachment": {"contentType": "text/plain", "language": "zh-CN", "title": "碘对比剂使用患者知情同意书"},
        "verification": [
            {
                "verified": True,
                "verificationDate": cast.moment(),
                "extension": [
                    {"url": f"{C}/StructureDefinition/explained-by", "valueReference": cast.person("nurse")},
                ],
            }
        ],
        "provision": {
            "period": {"start": cast.moment(timedelta(minutes=-1)), "end": cast.moment(timedelta(hours=24))},
            "data": [{"meaning": "instance", "reference": {"reference": cast.exam}}],
        },
    }
