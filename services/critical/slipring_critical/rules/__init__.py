"""Rules of this service, each with its cases as data beside it."""

from slipring.rules.limits import LimitBook

from slipring_critical.rules.read_back import READ_BACK_RULES
from slipring_critical.rules.what_is_critical import FLAG_RULES

NO_LIMITS = LimitBook({})  # these rules count nothing

__all__ = ["FLAG_RULES", "NO_LIMITS", "READ_BACK_RULES"]
