"""What of a resource screening weighs, so that a change of anything else asks nobody again. Pure."""

from __future__ import annotations

from slipring.fhir.service import Resource

from slipring_consent.reading import codes_in
from slipring_consent.screening.circumstances import GIVEN
from slipring_consent.screening.kidneys import LOINC, codes_of_renal_function
from slipring_consent.screening.pregnancy import DELIVERY_EXPECTED, PREGNANCY_STATUS

OBSERVED = codes_of_renal_function() | {PREGNANCY_STATUS, *DELIVERY_EXPECTED}
# Of these not all is weighed: age, sex and merges; where and how somebody lies; what was given, and when.
_MEMBERS = {
    "Patient": ("birthDate", "gender", "link"),
    "Encounter": ("status", "class", "type", "serviceType", "location", "subject"),
    "MedicationAdministration": (
        "medicationCodeableConcept", "medicationReference", "effectiveDateTime", "effectivePeriod", "subject",
    ),
}  # fmt: skip
_ABOUT_ITSELF = ("id", "meta", "text")


def weighed(resource: Resource) -> Resource:
    """The members that screening looks at; empty where it looks at none."""
    kind = str(resource.get("resourceType"))
    if kind == "Observation" and not is_looked_at(resource):
        return {}
    if kind == "MedicationAdministration" and resource.get("status") not in GIVEN[kind]:
        return {}
    members = _MEMBERS.get(kind) or [name for name in resource if name not in _ABOUT_ITSELF]
    return {name: resource[name] for name in members if name in resource}


def is_looked_at(observation: Resource) -> bool:
    """Whether an Observation is one that screening looks at: renal function, pregnancy."""
    return any(system == LOINC and code in OBSERVED for system, code in codes_in(observation.get("code")))
