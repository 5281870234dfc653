"""The rules on signing a report; each NAME.toml beside them holds the cases of one rule."""

from slipring_report.rules.images_match import images_match_the_order
from slipring_report.rules.signer_qualified import signer_is_qualified
from slipring_report.rules.two_signatures import level_not_lower, roles_in_order, signers_differ

SIGNING_RULES = (
    signer_is_qualified,
    signers_differ,
    roles_in_order,
    level_not_lower,
    images_match_the_order,
)
