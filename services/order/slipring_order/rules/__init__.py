"""Rules of this service, each with its cases as data beside it."""

from slipring_order.rules.clinical_question import states_a_clinical_question
from slipring_order.rules.decision_recorded import records_the_whole_decision
from slipring_order.rules.green_channel import runs_through_the_green_channel
from slipring_order.rules.pregnancy import asks_about_pregnancy, settles_an_unknown_pregnancy, weighs_a_known_pregnancy
from slipring_order.rules.repeat_exam import gives_a_reason_for_a_repeat
from slipring_order.rules.request_complete import carries_what_the_standard_asks
from slipring_order.rules.requester_authorised import comes_from_an_authorised_requester

ORDER_RULES = (
    carries_what_the_standard_asks,
    states_a_clinical_question,
    comes_from_an_authorised_requester,
    asks_about_pregnancy,
    settles_an_unknown_pregnancy,
    weighs_a_known_pregnancy,
    gives_a_reason_for_a_repeat,
    runs_through_the_green_channel,
)
DECISION_RULES = (records_the_whole_decision,)

__all__ = ["DECISION_RULES", "ORDER_RULES"]
