"""The staff room: titles, certificates, roles, and who may do what."""

from slipring.staff.facts import StaffFacts, has_left, staff_facts
from slipring.staff.permission import Reason, acts, may, missing

__all__ = ["Reason", "StaffFacts", "acts", "has_left", "may", "missing", "staff_facts"]
