"""Chapter four: screening, consent, and the gate that refuses first."""

from __future__ import annotations

from datetime import timedelta

from slipring_demo.cast import SYNTHETIC, C
from slipring_demo.scene import Scene, Tree, moment

_YES_NO = "http://terminology.hl7.org/CodeSystem/v2-0532"
_ANSWERED_NO = (
    "asthma", "diabetes", "kidney-disease", "kidney-surgery", "dialysis", "hypertension", "gout", "hyperthyroidism", "metformin",
    "lactation",
)  # fmt: skip


def consent_before_contrast(scene: Scene) -> None:
    """No contrast without consent: tried, refused, screened, consented."""
    teller = scene.teller
    teller.say("Contrast: the gate refuses without consent, then opens")
    teller.wait_for(f"Task?based-on={scene.exam}&code=screening", "the Task “screen and obtain consent”")
    refused = teller.ask("POST", "MedicationAdministration", _injection(scene), 422)
    teller.must(refused["resourceType"] == "OperationOutcome", "refused, with every reason:")
    for issue in refused["issue"]:
        teller.note(f"  - {issue['details']['text']}")
    egfr = teller.created(_egfr(scene))
    teller.created(_screening(scene))
    teller.created(_consent(scene))
    _wait_for_copy(scene, egfr)


def injection(scene: Scene) -> Tree:
    """Contrast is given, by a qualified nurse, with an observer."""
    administration = scene.teller.ask("POST", "MedicationAdministration", _injection(scene), 201)
    scene.teller.must(administration["status"] == "in-progress", "the gate is open: contrast may be given")
    administration["status"] = "completed"
    scene.teller.saved(administration)
    scene.teller.wait_for(
        f"Task?focus=MedicationAdministration/{administration['id']}&code=observation",
        "30 minutes of observation have begun",
    )
    return administration


def _wait_for_copy(scene: Scene, egfr: Tree) -> None:
    """Renal function reaches consent by delivery; a moment is enough, and the gate would say if it were not."""
    import time

    time.sleep(0.3)
    scene.teller.note(f"renal function known (Observation/{egfr['id']}), screening and consent on record")


def _injection(scene: Scene) -> Tree:
    nurse = scene.person("nurse")
    return {
        "resourceType": "MedicationAdministration",
        "meta": SYNTHETIC,
        "status": "in-progress",
        "medicationCodeableConcept": {
            "coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB02", "display": "iohexol"}]
        },
        "subject": scene.subject,
        "supportingInformation": [{"reference": scene.exam}],
        "effectiveDateTime": moment(),
        "performer": [
            {"actor": nurse},
            {
                "function": {"coding": [{"system": f"{C}/CodeSystem/administration-function", "code": "observer"}]},
                "actor": nurse,
            },
        ],
        "dosage": {"dose": {"value": 60, "unit": "mL", "system": "http://unitsofmeasure.org", "code": "mL"}},
    }


def _egfr(scene: Scene) -> Tree:
    return {
        "resourceType": "Observation",
        "meta": SYNTHETIC,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "98979-8"}]},
        "subject": scene.subject,
        "effectiveDateTime": moment(timedelta(hours=-2)),
        "valueQuantity": {
            "value": 88,
            "unit": "mL/min/1.73m2",
            "system": "http://unitsofmeasure.org",
            "code": "mL/min/{1.73_m2}",
        },
    }


def _screening(scene: Scene) -> Tree:
    none = {"valueCoding": {"system": f"{C}/CodeSystem/prior-reaction", "code": "none"}}
    items = [{"linkId": "prior-reaction", "answer": [none]}]
    items += [{"linkId": link, "answer": [{"valueCoding": {"system": _YES_NO, "code": "N"}}]} for link in _ANSWERED_NO]
    return {
        "resourceType": "QuestionnaireResponse",
        "meta": SYNTHETIC,
        "questionnaire": f"{C}/Questionnaire/contrast-screening|1",
        "status": "completed",
        "basedOn": [{"reference": scene.exam}],
        "subject": scene.subject,
        "authored": moment(),
        "item": items,
    }


def _consent(scene: Scene) -> Tree:
    return {
        "resourceType": "Consent",
        "meta": SYNTHETIC,
        "status": "active",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "treatment"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": scene.subject,
        "dateTime": moment(),
        "performer": [scene.subject],
        "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
        "sourceAttachment": {"contentType": "text/plain", "language": "zh-CN", "title": "碘对比剂使用患者知情同意书"},
        "verification": [
            {
                "verified": True,
                "verificationDate": moment(),
                "extension": [
                    {"url": f"{C}/StructureDefinition/explained-by", "valueReference": scene.person("nurse")},
                ],
            }
        ],
        "provision": {
            "period": {"start": moment(timedelta(minutes=-1)), "end": moment(timedelta(hours=24))},
            "data": [{"meaning": "instance", "reference": {"reference": scene.exam}}],
        },
    }
