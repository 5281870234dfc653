"""The rules of consent, in the order a reader meets them; each has its cases beside it."""

from slipring.rules.rulebook import Rule

from slipring_consent.contrast.facts import ContrastFacts
from slipring_consent.readiness.facts import ReadinessFacts
from slipring_consent.rules.consenting.exam_named import names_the_exam
from slipring_consent.rules.consenting.explanation_named import was_explained
from slipring_consent.rules.consenting.signer_named import is_signed
from slipring_consent.rules.consenting.validity_stated import states_its_validity
from slipring_consent.rules.gate.consent_valid import consent_is_valid
from slipring_consent.rules.gate.exam_stands import exam_still_stands
from slipring_consent.rules.gate.identity_confirmed import identity_is_confirmed
from slipring_consent.rules.gate.no_high_finding import no_high_finding_is_open
from slipring_consent.rules.gate.observer_named import an_observer_is_named
from slipring_consent.rules.gate.performer_qualified import performer_is_qualified
from slipring_consent.rules.gate.questions_decided import every_question_is_decided
from slipring_consent.rules.gate.screening_current import screening_is_complete
from slipring_consent.rules.reactions.effect_stated import closing_states_the_effect
from slipring_consent.rules.reactions.measures_stated import closing_states_measures
from slipring_consent.rules.screening.asthma import asthma_is_weighed
from slipring_consent.rules.screening.metformin import metformin_is_managed
from slipring_consent.rules.screening.prior_reaction import prior_reaction_is_weighed
from slipring_consent.rules.screening.renal_function import renal_function_is_known
from slipring_consent.rules.screening.thyroid import thyroid_is_not_overactive

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
CONTRAST_RULES: tuple[Rule[ContrastFacts], ...] = ()
READINESS_RULES: tuple[Rule[ReadinessFacts], ...] = ()
