"""What must hold of the figures of a period, each rule with its cases as data beside it."""

from slipring_order.review.rules.complaint_rate import complaints_stay_rare
from slipring_order.review.rules.complaints_answered import complaints_are_answered_in_time
from slipring_order.review.rules.posts import (
    has_an_operator_for_every_scanner,
    has_auxiliary_staff,
    has_nurses_for_contrast,
    has_physicians_for_two_signatures,
)
from slipring_order.review.rules.workload import (
    nurses_bear_their_load,
    physicians_bear_their_load,
    technologists_bear_their_load,
)

STAFFING_RULES = (
    has_physicians_for_two_signatures,
    has_an_operator_for_every_scanner,
    has_nurses_for_contrast,
    has_auxiliary_staff,
    technologists_bear_their_load,
    physicians_bear_their_load,
    nurses_bear_their_load,
)
COMPLAINT_RULES = (complaints_stay_rare, complaints_are_answered_in_time)

__all__ = ["COMPLAINT_RULES", "STAFFING_RULES"]
