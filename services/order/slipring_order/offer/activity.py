"""An exam of the catalogue as an ActivityDefinition: what clinicians read and search, and the department edits."""

from __future__ import annotations

from slipring.fhir.service import CANONICAL, Resource

from slipring_order.catalogue import Exam, catalogue_version, effective_from, places
from slipring_order.offer.defined import EXAM_NUMBER, LATERALITY_ASKED, LOINC, SNOMED, definition_id
from slipring_order.offer.mapping import EXAM_SYSTEM
from slipring_order.offer.preparation import preparation_of
from slipring_order.offer.protocols import group_of
from slipring_order.offer.words import concept, in_english, usage

PREPARATION = f"{CANONICAL}/StructureDefinition/preparation"
DRL_KEY = f"{CANONICAL}/StructureDefinition/dose-reference-level"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_FOCUS = {"system": "http://terminology.hl7.org/CodeSystem/usage-context-type", "code": "focus"}


def activity_definition(exam: Exam) -> Resource:
    """The exam with everything that is known of it; searchable by topic (system, kind) and context (part, contrast)."""
    topics = [concept("body-system", system) for system in exam.systems]
    definition: Resource = {
        "resourceType": "ActivityDefinition",
        "id": definition_id(exam.code),
        "extension": [*_preparation(exam), *_features(exam)],
        "url": f"{CANONICAL}/ActivityDefinition/exam-{exam.code}",
        "identifier": [{"system": EXAM_NUMBER, "value": exam.code}],
        "version": catalogue_version(),
        "name": "".join(part.capitalize() for part in exam.code.split("-")),
        "title": exam.zh,
        "_title": in_english(exam.en),
        "status": "active",
        "date": effective_from(),
        "useContext": [
            *_body_part(exam),
            usage("contrast", concept("exam-contrast", exam.phases)),
            usage("exam", group_of(exam)),
        ],
        "topic": [*topics, concept("exam-kind", exam.kind)],
        "kind": "ServiceRequest",
        "code": {"coding": _codings(exam), "text": exam.zh},
        "bodySite": [_site(exam)] if exam.place else None,
    }
    return {name: value for name, value in definition.items() if value is not None}


def _preparation(exam: Exam) -> list[Resource]:
    return [
        {
            "url": PREPARATION,
            "extension": [
                {"url": "part", "valueCode": text.part},
                {"url": "view", "valueCode": text.view},
                {"url": "text", "valueString": text.zh, "_valueString": in_english(text.en)},
            ],
        }
        for text in preparation_of(exam)
    ]


def _features(exam: Exam) -> list[Resource]:
    found: list[Resource] = [{"url": LATERALITY_ASKED, "valueBoolean": exam.laterality}]
    return [*found, {"url": DRL_KEY, "valueCode": exam.drl}] if exam.drl else found


def _codings(exam: Exam) -> list[Resource]:
    own = {"system": EXAM_SYSTEM, "code": exam.code, "display": exam.zh}
    loinc = [{"system": LOINC, "code": exam.loinc, "display": exam.en}] if exam.loinc else []
    return [own, *loinc, *({"system": SNOMED, "code": code} for code in exam.also)]


def _site(exam: Exam) -> Resource:
    place = places()[exam.place]
    snomed = [{"system": SNOMED, "code": code} for code in place.snomed]
    snomed[0]["display"] = place.en
    dicom = [{"system": DICOM, "code": code} for code in place.dicom]
    return {"coding": [*snomed, *dicom], "text": place.zh}


def _body_part(exam: Exam) -> list[Resource]:
    return [{"code": _FOCUS, "valueCodeableConcept": _site(exam)}] if exam.place else []
