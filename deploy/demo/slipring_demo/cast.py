"""The people of the story: all invented, all marked so."""

from __future__ import annotations

from typing import Any

C = "https://slipring.example/fhir"
SYNTHETIC = {"tag": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}]}
Tree = dict[str, Any]


def _qualification(system: str, code: str, start: str = "", end: str = "") -> Tree:
    period = {name: value for name, value in (("start", start), ("end", end)) if value}
    return {
        "code": {"coding": [{"system": f"{C}/CodeSystem/{system}", "code": code}]},
        **({"period": period} if period else {}),
    }


def practitioner(staff_number: str, family: str, given: str, title: str, *held: Tree) -> Tree:
    """A member of staff with a title and certificates."""
    return {
        "resourceType": "Practitioner",
        "meta": SYNTHETIC,
        "active": True,
        "identifier": [{"system": f"{C}/staff-number", "value": staff_number}],
        "name": [{"family": family, "given": [given], "text": f"{family}{given}(虚构)"}],
        "telecom": [{"system": "phone", "value": "000-0000-0000", "use": "work"}],
        "qualification": [_qualification("staff-title", title), *held],
    }


def role(full_url: str, organization: str, *codes: str) -> Tree:
    """What a member of staff may be asked to do."""
    return {
        "resourceType": "PractitionerRole",
        "meta": SYNTHETIC,
        "active": True,
        "practitioner": {"reference": full_url},
        "organization": {"reference": organization},
        "code": [{"coding": [{"system": f"{C}/CodeSystem/staff-role", "code": code}]} for code in codes],
    }


_RADIATION = _qualification("staff-qualification", "radiation-worker-certificate", "2012-03-01", "2032-03-01")
_EQUIPMENT = _qualification("staff-qualification", "ct-equipment-certificate", "2012-06-01", "2032-06-01")
_COMPETENCE = _qualification("staff-qualification", "competence", "2026-01-10", "2031-01-10")
_READING_SINCE = _qualification("staff-qualification", "imaging-diagnosis", "2010-07-01")
_NURSING = _qualification("staff-qualification", "ct-nursing-training", "2020-01-01", "2032-01-01")

# name in the story -> (Practitioner, role codes)
STAFF: dict[str, tuple[Tree, tuple[str, ...]]] = {
    "requester": (
        practitioner("D-0001", "林", "示例", "attending-physician"),
        ("requester", "may-order-ct", "may-receive-critical"),
    ),
    "ward duty": (
        practitioner("D-0002", "乔", "示例", "attending-physician"),
        ("requester", "may-receive-critical"),
    ),
    "first reader": (
        practitioner(
            "R-0001", "何", "示例", "attending-physician", _RADIATION, _EQUIPMENT, _COMPETENCE, _READING_SINCE
        ),
        ("radiologist", "level-b"),
    ),
    "second reader": (
        practitioner(
            "R-0002", "方", "示例", "associate-chief-physician", _RADIATION, _EQUIPMENT, _COMPETENCE, _READING_SINCE
        ),
        ("radiologist", "level-d"),
    ),
    "technologist": (
        practitioner("T-0001", "孟", "示例", "technologist", _RADIATION, _EQUIPMENT, _COMPETENCE),
        ("technologist",),
    ),
    "nurse": (
        practitioner("N-0001", "白", "示例", "senior-nurse", _RADIATION, _NURSING, _COMPETENCE),
        ("ct-nurse",),
    ),
}


def patient() -> Tree:
    """The patient of the newcomer's story; with `--patient` a given one takes this place."""
    return {
        "resourceType": "Patient",
        "meta": SYNTHETIC,
        "identifier": [{"system": f"{C}/patient-number", "value": "DEMO-0001"}],
        "name": [{"family": "章", "given": ["虚构"], "text": "章虚构"}],
        "telecom": [{"system": "phone", "value": "000-0000-0000"}],
        "gender": "female",
        "birthDate": "1958-04-12",
    }


def cast_bundle(*, with_patient: bool) -> Tree:
    """Everyone in one transaction; members of staff by their `urn:uuid`.

    Their competence is history, which the import scope alone brings (`slipring.identity.scopes.LOADING`).
    """
    entries = [
        _entry("urn:uuid:hospital", {"resourceType": "Organization", "meta": SYNTHETIC, "name": "示例医院(虚构)"})
    ]
    entries.append(
        _entry(
            "urn:uuid:ward",
            {
                "resourceType": "Organization",
                "meta": SYNTHETIC,
                "name": "急诊病区(虚构)",
                "partOf": {"reference": "urn:uuid:hospital"},
            },
        )
    )
    entries.append(_entry("urn:uuid:scanner", scanner()))
    for number, (person, codes) in enumerate(STAFF.values()):
        entries.append(_entry(f"urn:uuid:staff-{number}", person))
        entries.append(_entry(f"urn:uuid:role-{number}", role(f"urn:uuid:staff-{number}", "urn:uuid:hospital", *codes)))
    if with_patient:
        entries.append(_entry("urn:uuid:patient", patient()))
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def scanner() -> Tree:
    """The department's CT, as a Device that the schedule and a worklist know it by."""
    return {
        "resourceType": "Device",
        "meta": SYNTHETIC,
        "status": "active",
        "identifier": [{"system": f"{C}/sid/ae-title", "value": "DEMO_CT"}],
        "deviceName": [{"name": "一号 CT（虚构）", "type": "user-friendly-name"}],
        "type": {
            "coding": [
                {
                    "system": "http://dicom.nema.org/resources/ontology/DCM",
                    "code": "CT",
                    "display": "Computed Tomography",
                }
            ]
        },
    }


def staff_of(made: list[str]) -> dict[str, str]:
    """Name in the story -> Practitioner/..., from the references that the cast's transaction made."""
    return dict(zip(STAFF, made[3 : 3 + 2 * len(STAFF) : 2], strict=True))


def _entry(full_url: str, resource: Tree) -> Tree:
    return {"fullUrl": full_url, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}
