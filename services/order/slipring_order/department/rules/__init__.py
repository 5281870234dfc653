"""What must hold of the department as a whole, each rule with its cases as data beside it."""

from slipring_order.department.rules.agreement_complete import covers_what_an_agreement_must
from slipring_order.department.rules.diagnosis_led import has_somebody_to_lead_diagnosis
from slipring_order.department.rules.head_qualified import is_headed_by_a_qualified_physician
from slipring_order.department.rules.licence_names_imaging import is_licensed_for_imaging
from slipring_order.department.rules.technique_led import has_somebody_to_lead_technique
from slipring_order.department.rules.years_of_ct import has_practised_ct_long_enough

DEPARTMENT_RULES = (
    is_licensed_for_imaging,
    has_practised_ct_long_enough,
    is_headed_by_a_qualified_physician,
    has_somebody_to_lead_diagnosis,
    has_somebody_to_lead_technique,
    covers_what_an_agreement_must,
)

__all__ = ["DEPARTMENT_RULES"]
