"""Rules of this service, each with its cases as data beside it."""

from slipring_order.rules.child import considers_the_alternatives_for_a_child
from slipring_order.rules.child_health_check import keeps_children_out_of_health_check_ct
from slipring_order.rules.clinical_question import states_a_clinical_question
from slipring_order.rules.contrast_reaction import weighs_an_earlier_reaction_to_contrast
from slipring_order.rules.contrast_refused import a_refusal_of_contrast_is_answered
from slipring_order.rules.contrast_screened import shows_the_check_before_contrast
from slipring_order.rules.critical_attended import a_clinician_attends_a_critical_patient
from slipring_order.rules.cumulative_exposure import points_out_cumulative_exposure
from slipring_order.rules.decision_recorded import records_the_whole_decision
from slipring_order.rules.dose_level import looks_at_a_dose_above_the_level, looks_at_an_unusually_low_dose
from slipring_order.rules.dose_report_consistent import DOSE_IN_DOUBT, agrees_with_itself
from slipring_order.rules.exam_offered import asks_for_an_exam_that_is_offered
from slipring_order.rules.green_channel import runs_through_the_green_channel
from slipring_order.rules.identity_before_start import identity_is_checked_before_the_start
from slipring_order.rules.identity_confirmed import merged_records_are_confirmed
from slipring_order.rules.image_accession import carries_the_imaging_number
from slipring_order.rules.image_body_part import shows_the_ordered_part
from slipring_order.rules.image_exam_known import belongs_to_a_known_exam
from slipring_order.rules.image_identity import shows_the_ordered_patient
from slipring_order.rules.image_laterality import shows_the_ordered_side
from slipring_order.rules.patient_alive import asks_about_a_deceased_patient
from slipring_order.rules.pregnancy import asks_about_pregnancy, settles_an_unknown_pregnancy
from slipring_order.rules.pregnancy_asked_again import pregnancy_is_asked_again_before_the_start
from slipring_order.rules.pregnant import weighs_a_known_pregnancy
from slipring_order.rules.pregnant_early import spares_the_lower_abdomen_in_early_pregnancy
from slipring_order.rules.protocol_suits import is_scanned_by_an_approved_protocol
from slipring_order.rules.recognised_exam import recognises_the_exam_of_another_institution
from slipring_order.rules.region_fits import scans_the_region_that_the_indication_asks_for
from slipring_order.rules.repeat_exam import gives_a_reason_for_a_repeat
from slipring_order.rules.request_complete import carries_what_the_standard_asks
from slipring_order.rules.requester_authorised import comes_from_an_authorised_requester
from slipring_order.rules.scanner_fit import the_scanner_is_fit
from slipring_order.rules.scanner_in_service import the_scanner_is_in_service
from slipring_order.rules.scanner_test_due import no_test_is_overdue
from slipring_order.rules.scanner_tested import something_was_measured_on_the_scanner
from slipring_order.rules.scanner_within_limits import the_last_result_is_within_limits
from slipring_order.rules.single_phase import scans_one_phase_where_one_suffices
from slipring_order.rules.step_check_list import every_step_of_the_exam_is_confirmed
from slipring_order.rules.table_load import the_table_bears_the_patient
from slipring_order.rules.without_complaint import approves_ct_without_complaint

ORDER_RULES = (
    carries_what_the_standard_asks,
    asks_for_an_exam_that_is_offered,
    states_a_clinical_question,
    comes_from_an_authorised_requester,
    asks_about_a_deceased_patient,
    asks_about_pregnancy,
    settles_an_unknown_pregnancy,
    spares_the_lower_abdomen_in_early_pregnancy,
    weighs_a_known_pregnancy,
    considers_the_alternatives_for_a_child,
    keeps_children_out_of_health_check_ct,
    gives_a_reason_for_a_repeat,
    recognises_the_exam_of_another_institution,
    points_out_cumulative_exposure,
    scans_one_phase_where_one_suffices,
    scans_the_region_that_the_indication_asks_for,
    shows_the_check_before_contrast,
    weighs_an_earlier_reaction_to_contrast,
    approves_ct_without_complaint,
    runs_through_the_green_channel,
)
DECISION_RULES = (records_the_whole_decision,)
START_RULES = (
    merged_records_are_confirmed,
    identity_is_checked_before_the_start,
    a_clinician_attends_a_critical_patient,
    a_refusal_of_contrast_is_answered,
    pregnancy_is_asked_again_before_the_start,
    the_scanner_is_fit,
)
BOOKING_RULES = (is_scanned_by_an_approved_protocol,)
TABLE_RULES = (the_table_bears_the_patient,)
SCANNER_RULES = (the_scanner_is_in_service, something_was_measured_on_the_scanner)
SCANNER_TEST_RULES = (the_last_result_is_within_limits, no_test_is_overdue)
STEP_RULES = (every_step_of_the_exam_is_confirmed,)
# What names the exam, and what the pictures show: a dose report has the first only.
IDENTITY_RULES = (belongs_to_a_known_exam, shows_the_ordered_patient, carries_the_imaging_number)
# A single dose beside its level.
DOSE_RULES = (looks_at_a_dose_above_the_level, looks_at_an_unusually_low_dose)
# A dose report by itself, before anything is made of it.
DOSE_REPORT_RULES = (agrees_with_itself,)
IMAGE_RULES = (*IDENTITY_RULES, shows_the_ordered_part, shows_the_ordered_side)

__all__ = [
    "BOOKING_RULES",
    "DECISION_RULES",
    "DOSE_IN_DOUBT",
    "DOSE_REPORT_RULES",
    "DOSE_RULES",
    "IDENTITY_RULES",
    "IMAGE_RULES",
    "ORDER_RULES",
    "SCANNER_RULES",
    "SCANNER_TEST_RULES",
    "START_RULES",
    "STEP_RULES",
    "TABLE_RULES",
]
