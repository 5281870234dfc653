"""What the gate looks at, as far as an administration itself tells: fetched by one statement before anything is weighed."""

from __future__ import annotations

from slipring.fhir.merged import any_of, sought_links
from slipring.fhir.service import Ahead, Resource, Write

from slipring_consent.consenting.facts import consents_of
from slipring_consent.contrast.exam import exam_of_administration
from slipring_consent.contrast.holding import lot_reference
from slipring_consent.contrast.weight import weight_search
from slipring_consent.gate.override import override_of
from slipring_consent.gate.weighing import running_injections_of, waiting_identity_of
from slipring_consent.people import roles_of
from slipring_consent.readiness.known import steps_of
from slipring_consent.reading import reference_of
from slipring_consent.screening.known import answered_by, answers_of, looked_at_of

_WEIGHED = ("in-progress", "completed", "stopped")


def ahead(write: Write) -> Ahead:
    """What a permission or a fact will look at; what is neither looks at little."""
    weighed = write.method != "delete" and not write.imported and write.resource.get("status") in _WEIGHED
    return foreseen(write.resource) if weighed else Ahead()


def foreseen(administration: Resource) -> Ahead:
    """All of it but a few, for a patient whose records were never merged; of others what is asked of all records comes after."""
    exam, patient = exam_of_administration(administration), reference_of(administration.get("subject"))
    override = override_of(administration)
    people = [reference_of(one.get("actor")) for one in administration.get("performer", [])]
    people += [override.by] if override else []
    queries = [roles_of(one) for one in dict.fromkeys(people) if one.startswith("Practitioner/")]
    if exam:
        queries += [consents_of(exam), answers_of(exam), waiting_identity_of(exam), steps_of(exam)]
    if patient.startswith("Patient/"):
        one = any_of(frozenset([patient]))
        queries += [sought_links([patient]), running_injections_of(one), weight_search(one), *looked_at_of(one)]
        queries.append(answered_by(one))  # of other exams, which are asked again
    return Ahead([patient, exam, lot_reference(administration), *people], queries)
