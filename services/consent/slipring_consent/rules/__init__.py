"""The rules of consent, in the order a reader meets them; each has its cases beside it."""

from slipring.rules.rulebook import Rule

from slipring_consent.contrast.facts import ContrastFacts
from slipring_consent.rules.consenting.capacity_fits import capacity_fits_the_signer
from slipring_consent.rules.consenting.exam_named import names_the_exam
from slipring_consent.rules.consenting.exception_approved import the_head_approves
from slipring_consent.rules.consenting.exception_not_refused import a_refusal_is_not_passed
from slipring_consent.rules.consenting.exception_reasoned import the_exception_has_a_reason
from slipring_consent.rules.consenting.exception_tried import somebody_was_tried
from slipring_consent.rules.consenting.exception_without_capacity import the_patient_cannot_decide
from slipring_consent.rules.consenting.explained_first import was_explained_before_signing
from slipring_consent.rules.consenting.explanation_named import was_explained
from slipring_consent.rules.consenting.informer_qualified import informer_may_explain
from slipring_consent.rules.consenting.minor_guarded import a_minor_is_represented
from slipring_consent.rules.consenting.no_exceptions import takes_nothing_out
from slipring_consent.rules.consenting.one_exam import covers_one_exam
from slipring_consent.rules.consenting.representation_stated import representation_has_its_reason
from slipring_consent.rules.consenting.signer_named import is_signed
from slipring_consent.rules.consenting.validity_stated import states_its_validity
from slipring_consent.rules.consenting.withdrawal_reasoned import a_withdrawal_has_its_reason
from slipring_consent.rules.contrast.agent_warmed import agent_is_warmed
from slipring_consent.rules.contrast.dose_limit import volume_is_within_limits
from slipring_consent.rules.contrast.dose_stated import dose_is_stated
from slipring_consent.rules.contrast.iodine_limit import iodine_is_within_limits
from slipring_consent.rules.contrast.lot_accepted import lot_is_accepted
from slipring_consent.rules.contrast.lot_agent import agent_is_the_planned_one
from slipring_consent.rules.contrast.lot_in_date import lot_is_in_date
from slipring_consent.rules.contrast.lot_named import lot_is_named
from slipring_consent.rules.contrast.lot_not_recalled import lot_is_not_recalled
from slipring_consent.rules.contrast.lot_strength import strength_is_one_that_is_sold
from slipring_consent.rules.contrast.opened_time import opened_pack_is_used_in_time
from slipring_consent.rules.contrast.pressure_limit import pressure_fits_the_access
from slipring_consent.rules.contrast.rate_limit import flow_fits_the_cannula
from slipring_consent.rules.contrast.weight_known import weight_is_known
from slipring_consent.rules.gate.consent_valid import consent_is_valid
from slipring_consent.rules.gate.exam_stands import exam_still_stands
from slipring_consent.rules.gate.identity_confirmed import identity_is_confirmed
from slipring_consent.rules.gate.named_here import names_what_is_kept_here
from slipring_consent.rules.gate.no_high_finding import no_high_finding_is_open
from slipring_consent.rules.gate.observer_named import an_observer_is_named
from slipring_consent.rules.gate.one_at_a_time import one_injection_at_a_time
from slipring_consent.rules.gate.performer_qualified import performer_is_qualified
from slipring_consent.rules.gate.questions_decided import every_question_is_decided
from slipring_consent.rules.gate.screening_current import screening_is_complete
from slipring_consent.rules.observing.cannula_out import the_cannula_is_out
from slipring_consent.rules.observing.outcome_stated import the_outcome_says_what_it_needs
from slipring_consent.rules.observing.reaction_over import no_reaction_goes_on
from slipring_consent.rules.observing.releaser_named import a_named_person_releases
from slipring_consent.rules.observing.releaser_qualified import who_releases_is_qualified
from slipring_consent.rules.observing.time_over import the_time_is_over
from slipring_consent.rules.observing.vital_signs import vital_signs_are_taken
from slipring_consent.rules.reactions.effect_stated import closing_states_the_effect
from slipring_consent.rules.reactions.extravasation_described import closing_describes_an_extravasation
from slipring_consent.rules.reactions.grade_stated import closing_states_the_grade
from slipring_consent.rules.reactions.grades_agree import grades_of_two_scales_agree
from slipring_consent.rules.reactions.kind_stated import closing_states_the_kind
from slipring_consent.rules.reactions.measures_stated import closing_states_measures
from slipring_consent.rules.reactions.onset_stated import closing_states_the_onset
from slipring_consent.rules.reactions.outcome_stated import closing_states_the_outcome
from slipring_consent.rules.reactions.surgeon_asked import a_surgeon_sees_a_limb_at_risk
from slipring_consent.rules.readiness.crash_cart import a_crash_cart_is_ready
from slipring_consent.rules.readiness.rescue_drugs import rescue_drugs_are_in_date
from slipring_consent.rules.readiness.rescue_drugs_last import rescue_drugs_will_last
from slipring_consent.rules.record.dose_as_planned import dose_is_as_planned
from slipring_consent.rules.record.dose_plausible import dose_is_plausible
from slipring_consent.rules.record.pressure_kept import pressure_was_kept
from slipring_consent.rules.record.record_complete import record_is_complete
from slipring_consent.rules.record.times_in_order import times_are_in_order
from slipring_consent.rules.screening.acute_kidney_injury import kidneys_are_not_acutely_injured
from slipring_consent.rules.screening.asthma import asthma_is_weighed
from slipring_consent.rules.screening.beta_blocker import beta_blocker_is_known
from slipring_consent.rules.screening.dialysis import dialysis_is_known
from slipring_consent.rules.screening.heart_failure import heart_failure_is_weighed
from slipring_consent.rules.screening.history_asked import history_is_asked
from slipring_consent.rules.screening.homocystinuria import homocystinuria_is_weighed
from slipring_consent.rules.screening.interleukin_2 import interleukin_2_is_known
from slipring_consent.rules.screening.lactation import lactation_is_advised
from slipring_consent.rules.screening.metformin import metformin_is_managed
from slipring_consent.rules.screening.multiple_allergies import allergies_are_weighed
from slipring_consent.rules.screening.myasthenia import myasthenia_is_weighed
from slipring_consent.rules.screening.myeloma import myeloma_is_weighed
from slipring_consent.rules.screening.nephrotoxic_drugs import nephrotoxic_drugs_are_weighed
from slipring_consent.rules.screening.phaeochromocytoma import phaeochromocytoma_is_weighed
from slipring_consent.rules.screening.pregnancy import pregnancy_is_weighed
from slipring_consent.rules.screening.pregnancy_asked import pregnancy_is_asked
from slipring_consent.rules.screening.prior_reaction import prior_reaction_is_weighed
from slipring_consent.rules.screening.pulmonary_hypertension import pulmonary_hypertension_is_weighed
from slipring_consent.rules.screening.radioiodine import radioiodine_is_not_ahead
from slipring_consent.rules.screening.renal_function import renal_function_is_known
from slipring_consent.rules.screening.repeat_contrast import interval_since_contrast_is_kept
from slipring_consent.rules.screening.thyroid import thyroid_is_not_overactive

SCREENING_RULES = (
    prior_reaction_is_weighed,
    allergies_are_weighed,
    asthma_is_weighed,
    renal_function_is_known,
    kidneys_are_not_acutely_injured,
    dialysis_is_known,
    nephrotoxic_drugs_are_weighed,
    metformin_is_managed,
    thyroid_is_not_overactive,
    radioiodine_is_not_ahead,
    interval_since_contrast_is_kept,
    pregnancy_is_weighed,
    pregnancy_is_asked,
    lactation_is_advised,
    heart_failure_is_weighed,
    pulmonary_hypertension_is_weighed,
    phaeochromocytoma_is_weighed,
    myasthenia_is_weighed,
    homocystinuria_is_weighed,
    myeloma_is_weighed,
    beta_blocker_is_known,
    interleukin_2_is_known,
)
# What a screening alone does not tell: who was not asked. The form and order ask; a dry run stands by itself.
ASSESSMENT_RULES = (*SCREENING_RULES, history_is_asked)
CONSENT_RULES = (
    is_signed,
    a_minor_is_represented,
    capacity_fits_the_signer,
    representation_has_its_reason,
    states_its_validity,
    names_the_exam,
    covers_one_exam,
    takes_nothing_out,
    was_explained,
    was_explained_before_signing,
    informer_may_explain,
)
# An emergency exception names its exam and its validity as a consent does; in place of a signature it has these.
EXCEPTION_RULES = (
    the_head_approves,
    the_exception_has_a_reason,
    somebody_was_tried,
    the_patient_cannot_decide,
    a_refusal_is_not_passed,
)
WITHDRAWAL_RULES = (a_withdrawal_has_its_reason,)
EXCEPTION_FORM_RULES = (states_its_validity, names_the_exam, covers_one_exam, takes_nothing_out)
GATE_RULES = (
    names_what_is_kept_here,
    exam_still_stands,
    one_injection_at_a_time,
    identity_is_confirmed,
    consent_is_valid,
    screening_is_complete,
    no_high_finding_is_open,
    every_question_is_decided,
    performer_is_qualified,
    an_observer_is_named,
)
CONTRAST_RULES: tuple[Rule[ContrastFacts], ...] = (
    lot_is_named,
    lot_is_accepted,
    lot_is_in_date,
    lot_is_not_recalled,
    agent_is_the_planned_one,
    strength_is_one_that_is_sold,
    dose_is_stated,
    weight_is_known,
    volume_is_within_limits,
    iodine_is_within_limits,
    flow_fits_the_cannula,
    pressure_fits_the_access,
    opened_pack_is_used_in_time,
    agent_is_warmed,
)
READINESS_RULES = (a_crash_cart_is_ready, rescue_drugs_are_in_date, rescue_drugs_will_last)
RECORD_RULES = (record_is_complete, dose_is_as_planned, dose_is_plausible, times_are_in_order, pressure_was_kept)
REACTION_RULES = (
    closing_states_the_kind,
    closing_states_the_grade,
    closing_states_the_onset,
    closing_states_measures,
    closing_states_the_outcome,
    closing_states_the_effect,
    closing_describes_an_extravasation,
    grades_of_two_scales_agree,
    a_surgeon_sees_a_limb_at_risk,
)
RELEASE_RULES = (
    the_time_is_over,
    a_named_person_releases,
    who_releases_is_qualified,
    the_outcome_says_what_it_needs,
    no_reaction_goes_on,
    vital_signs_are_taken,
    the_cannula_is_out,
)
