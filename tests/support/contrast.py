"""A small department for the handler tests: one patient, one contrast exam, one nurse, one physician."""

from datetime import timedelta
from typing import Any

from slipring.fhir.service import CANONICAL, Resource
from slipring_consent.reading import instant
from slipring_consent.screening.form import questionnaire, questionnaire_canonical
from slipring_consent.settings import ConsentSettings

from tests.support.desk import A_NOON, ADesk
from tests.support.lots import LOT, a_delivery, a_lot, a_volume

EXAM = "ServiceRequest/o-exam"
PATIENT = {"reference": "Patient/o-pat"}
YES_NO = "http://terminology.hl7.org/CodeSystem/v2-0532"
TITLE = f"{CANONICAL}/CodeSystem/staff-title"
QUALIFICATION = f"{CANONICAL}/CodeSystem/staff-qualification"
IOHEXOL = {"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB02"}]}


def a_request(**members: Any) -> Resource:
    return {
        "resourceType": "ServiceRequest",
        "id": "o-exam",
        "status": "active",
        "intent": "order",
        "subject": PATIENT,
        "code": {"coding": [{"system": "http://loinc.org", "code": "24628-0"}]},
        **members,
    }


def an_egfr(value: int = 90, days_old: int = 3) -> Resource:
    return {
        "resourceType": "Observation",
        "id": "o-egfr",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "98979-8"}]},
        "subject": PATIENT,
        "effectiveDateTime": instant(A_NOON - timedelta(days=days_old)),
        "valueQuantity": {"value": value, "code": "mL/min/{1.73_m2}"},
    }


def a_weight(kg: float = 70, days_old: int = 1) -> Resource:
    return {
        "resourceType": "Observation",
        "id": "o-weight",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": PATIENT,
        "effectiveDateTime": instant(A_NOON - timedelta(days=days_old)),
        "valueQuantity": {"value": kg, "system": "http://unitsofmeasure.org", "code": "kg"},
    }


def a_person(person_id: str, title: str, *qualifications: str, competent_until: str = "2026-12-31") -> Resource:
    """A radiation worker with this title, assessed at the beginning of the year."""
    held: list[Resource] = [{"code": {"coding": [{"system": TITLE, "code": title}]}}]
    for code in (*qualifications, "radiation-worker-certificate", "competence"):
        entry: Resource = {"code": {"coding": [{"system": QUALIFICATION, "code": code}]}}
        held.append(
            entry | ({"period": {"start": "2026-01-01", "end": competent_until}} if code == "competence" else {})
        )
    return {"resourceType": "Practitioner", "id": person_id, "active": True, "qualification": held}


def a_role(person_id: str, code: str) -> Resource:
    return {
        "resourceType": "PractitionerRole",
        "id": f"{person_id}-role",
        "active": True,
        "practitioner": {"reference": f"Practitioner/{person_id}"},
        "code": [{"coding": [{"system": f"{CANONICAL}/CodeSystem/staff-role", "code": code}]}],
    }


def a_screening(**changed: str) -> Resource:
    """Everything that is asked answered with no; `hyperthyroidism="Y"` changes one answer."""
    codes = {link.replace("_", "-"): code for link, code in changed.items()}
    grade = codes.pop("prior-reaction", "none")
    asked = [item["linkId"] for item in questionnaire()["item"] if item.get("required") and "enableWhen" not in item]
    answers = [("prior-reaction", f"{CANONICAL}/CodeSystem/prior-reaction", grade)]
    if grade in ("mild", "moderate", "severe"):
        answers.append(("prior-reaction-kind", f"{CANONICAL}/CodeSystem/reaction-type", "allergic-like"))
    answers += [(link, YES_NO, codes.pop(link, "N")) for link in asked if link != "prior-reaction"]
    answers += [(link, YES_NO, code) for link, code in codes.items()]
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "c-screening",
        "questionnaire": questionnaire_canonical(),
        "status": "completed",
        "basedOn": [{"reference": EXAM}],
        "subject": PATIENT,
        "authored": instant(A_NOON - timedelta(minutes=20)),
        "item": [
            {"linkId": link, "answer": [{"valueCoding": {"system": system, "code": code}}]}
            for link, system, code in answers
        ],
    }


def a_consent(**members: Any) -> Resource:
    return {
        "resourceType": "Consent",
        "id": "c-consent",
        "status": "active",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "treatment"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": PATIENT,
        "dateTime": instant(A_NOON),
        "performer": [PATIENT],
        "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
        "verification": [
            {
                "verified": True,
                "verificationDate": instant(A_NOON),
                "extension": [
                    {
                        "url": f"{CANONICAL}/StructureDefinition/explained-by",
                        "valueReference": {"reference": "Practitioner/o-nurse"},
                    }
                ],
            }
        ],
        "provision": {
            "period": {"start": instant(A_NOON), "end": instant(A_NOON + timedelta(hours=24))},
            "data": [{"meaning": "instance", "reference": {"reference": EXAM}}],
        },
        **members,
    }


def an_injection(**members: Any) -> Resource:
    return {
        "resourceType": "MedicationAdministration",
        "id": "c-injection",
        "status": "in-progress",
        **({} if "medicationCodeableConcept" in members else {"medicationReference": {"reference": LOT}}),
        "dosage": {"dose": a_volume(40)},
        "subject": PATIENT,
        "supportingInformation": [{"reference": EXAM}],
        "effectiveDateTime": instant(A_NOON),
        "performer": [
            {"actor": {"reference": "Practitioner/o-nurse"}},
            {
                "function": {
                    "coding": [{"system": f"{CANONICAL}/CodeSystem/administration-function", "code": "observer"}]
                },
                "actor": {"reference": "Practitioner/o-nurse"},
            },
        ],
        **members,
    }


def an_override(reason: str, by: str = "Practitioner/o-physician") -> list[Resource]:
    system = f"{CANONICAL}/CodeSystem/override-reason"
    return [
        {
            "url": f"{CANONICAL}/StructureDefinition/override",
            "extension": [
                {"url": "by", "valueReference": {"reference": by}},
                {"url": "reason", "valueCodeableConcept": {"coding": [{"system": system, "code": reason}]}},
            ],
        }
    ]


def a_crash_cart(cart_id: str = "o-cart", room: str = "") -> Resource:
    kind = {"coding": [{"system": f"{CANONICAL}/CodeSystem/device-kind", "code": "crash-cart"}]}
    place = {"location": {"reference": room}} if room else {}
    return {"resourceType": "Device", "id": cart_id, "status": "active", "type": kind, **place}


def a_cart_check(cart_id: str = "o-cart", days_old: int = 3, expires_in_days: int = 300, **checks: bool) -> Resource:
    """Everything in order, one drug with this many days left; `defibrillator=False` is a fault."""
    answered = [
        {"linkId": link, "answer": [{"valueBoolean": good}]}
        for link, good in {"oxygen": True, "defibrillator": True, **checks}.items()
    ]
    last = (A_NOON + timedelta(days=expires_in_days)).date().isoformat()
    return {
        "resourceType": "QuestionnaireResponse",
        "id": f"{cart_id}-check",
        "status": "completed",
        "questionnaire": f"{CANONICAL}/Questionnaire/staff-and-rooms-crash-cart-check|1",
        "subject": {"reference": f"Device/{cart_id}"},
        "authored": instant(A_NOON - timedelta(days=days_old)),
        "item": [{"linkId": "adrenaline", "text": "肾上腺素", "answer": [{"valueDate": last}]}, *answered],
    }


def a_department(*holding: Resource, **members: Any) -> ADesk:
    """The desk with order's copies, an accepted lot of iohexol, and what the test adds."""
    copies = [
        a_request(),
        {"resourceType": "Patient", "id": "o-pat", "birthDate": "1960-05-01"},
        a_weight(),
        a_person("o-nurse", "senior-nurse", "ct-nursing-training"),
        a_person("o-junior", "nurse", "ct-nursing-training"),
        a_person("o-physician", "attending-physician"),
        a_role("o-physician", "radiologist"),
        a_crash_cart(),
        a_cart_check(),
    ]
    members.setdefault("settings", ConsentSettings(confirmed=frozenset({"*"})))
    desk = ADesk(letter="c", holding=[a_lot(), a_delivery()], copies=copies, **members)
    for resource in holding:
        desk.hold(resource)
    return desk


def a_cleared_department(**members: Any) -> ADesk:
    """Consent given, screening answered, kidneys well: the gate should open."""
    return a_department(an_egfr(), a_screening(), a_consent(), **members)
