"""The rules of consent, in the order a reader meets them; each has its cases beside it."""

from slipring_consent.rules.asthma import asthma_is_weighed
from slipring_consent.rules.consent_valid import consent_is_valid
from slipring_consent.rules.effect_stated import closing_states_the_effect
from slipring_consent.rules.exam_named import names_the_exam
from slipring_consent.rules.exam_stands import exam_still_stands
from slipring_consent.rules.explanation_named import was_explained
from slipring_consent.rules.identity_confirmed import identity_is_confirmed
from slipring_consent.rules.measures_stated import closing_states_measures
from slipring_consent.rules.metformin import metformin_is_managed
from slipring_consent.rules.no_high_finding import no_high_finding_is_open
from slipring_consent.rules.observer_named import an_observer_is_named
from slipring_consent.rules.performer_qualified import performer_is_qualified
from slipring_consent.rules.prior_reaction import prior_reaction_is_weighed
from slipring_consent.rules.questions_decided import every_question_is_decided
from slipring_consent.rules.renal_function import renal_function_is_known
from slipring_consent.rules.screening_current import screening_is_complete
from slipring_consent.rules.signer_named import is_signed
from slipring_consent.rules.thyroid import thyroid_is_not_overactive
from slipring_consent.rules.validity_stated import states_its_validity

SCREENING_RULES = (
    prior_reaction_is_weighed,
    renal_function_is_known,
    metformin_is_managed,
    thyroid_is_not_overactive,
    asthma_is_weighed,
)
CONSENT_RULES = (is_signed, states_its_validity, names_the_exam, was_explained)
GATE_RULES = (
    exam_still_stands,
    identity_is_confirmed,
    consent_is_valid,
    screening_is_complete,
    no_high_finding_is_open,
    every_question_is_decided,
    performer_is_qualified,
    an_observer_is_named,
)
REACTION_RULES = (closing_states_measures, closing_states_the_effect)
