"""The rules on a draft and on signing it; each NAME.toml beside them holds the cases of one rule."""

from slipring_report.rules.drafts.reactions_told import reactions_are_told
from slipring_report.rules.signing.images_match import images_match_the_order
from slipring_report.rules.signing.signer_qualified import signer_is_qualified
from slipring_report.rules.signing.two_signatures import level_not_lower, rank_not_lower, roles_in_order, signers_differ

DRAFT_RULES = (reactions_are_told,)
SIGNING_RULES = (
    signer_is_qualified,
    signers_differ,
    roles_in_order,
    level_not_lower,
    rank_not_lower,
    images_match_the_order,
)
