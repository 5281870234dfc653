"""Rules of this service, each with its cases as data beside it."""

from slipring_critical.rules.read_back import READ_BACK_RULES
from slipring_critical.rules.what_is_critical import FLAG_RULES

__all__ = ["FLAG_RULES", "READ_BACK_RULES"]
