"""The staff room: titles, certificates, roles, and who may do what."""

from slipring.staff.facts import StaffFacts, staff_facts
from slipring.staff.permission import Reason, may, missing

__all__ = ["Reason", "StaffFacts", "may", "missing", "staff_facts"]
