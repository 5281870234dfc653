"""What the caller of a request may know of and touch: his token's limits and what is not for everybody yet, applied.

What he may not see is absent for him, in every answer alike. Only a whole type that he may not ask for at all, or a
resource he sees and may not change, is a 403.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal

from slipring.fhir.access import reached, reaches, seen, shows
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, forbidden
from slipring.fhir.search.condition import Clause, Condition
from slipring.fhir.search.criteria import Criteria
from slipring.fhir.search.values import TokenValue
from slipring.fhir.service import Resource
from slipring.fhir.store import reading
from slipring.fhir.store.reading import Reader, Row

_LETTERS = "srcud"


def visible(kernel: Kernel, context: Context, row: Row, letter: str = "r") -> bool:
    """Whether he may see this row, as it is written there."""
    caller = context.caller
    if not shows(caller, row.audience):
        return False
    return not caller.bounded or reaches(caller, letter, row.stored().resource, kernel.zone)


def known(kernel: Kernel, context: Context, row: Row | None, letter: str) -> Row | None:
    """What stands where he wants to write: None when he may not know of it, 403 when he sees it and may not do this.

    Who loads history writes over what is not for everybody, too: it may be what he loaded.
    """
    caller = context.caller
    if row is None or not (context.imported or shows(caller, row.audience)):
        return None
    if not caller.bounded:
        return row
    tree = row.stored().resource
    if reaches(caller, letter, tree, kernel.zone):
        return row
    if caller.allows(row.type, "r") and reaches(caller, "r", tree, kernel.zone):
        raise outside(row.type)
    return None


def demand_within(kernel: Kernel, context: Context, tree: Resource, letter: str) -> None:
    """403 unless the resource, as it shall be, lies within the token's limits: nothing is moved out of them."""
    if context.caller.bounded and not reaches(context.caller, letter, tree, kernel.zone):
        raise outside(str(tree["resourceType"]))


def demand_whole(context: Context, resource_type: str) -> None:
    """403 unless the caller reaches every resource of the type: an answer made of them all would tell him of others."""
    context.demand(resource_type, "r")
    if not any(grant.whole for grant in context.caller.grants(resource_type, "r")):
        raise outside(resource_type)


def asked(kernel: Kernel, context: Context, criteria: Criteria, letter: str = "s") -> Criteria:
    """A search as its caller may ask it."""
    return reached(criteria, context.caller, kernel.zone, letter)


def after_patch(kernel: Kernel, context: Context, resource_type: str, text: str) -> str:
    """What the answer to a patch may show of the resource: changing it is not reading it."""
    caller = context.caller
    if not caller.allows(resource_type, "r"):
        return ""
    if caller.bounded and not reaches(caller, "r", json.loads(text, parse_float=Decimal), kernel.zone):
        return ""
    return text


def conditional(kernel: Kernel, context: Context, criteria: Criteria) -> Criteria:
    """A condition of a write: judged among what its caller may see, so that its outcome tells him nothing else.

    It searches, so it needs s. A token that only writes may still name a resource by its identifier in full: who
    knows that asks about nothing he does not hold.
    """
    caller, kind = context.caller, criteria.type
    if not caller.allows(kind, "s") and not any(_names(one) for one in criteria.clauses):
        context.demand(kind, "s")
    letter = next((one for one in _LETTERS if caller.allows(kind, one)), "")
    if not letter:
        context.demand(kind, "s")
    if context.imported and not caller.bounded:
        return criteria
    return reached(criteria, caller, kernel.zone, letter)


def within(kernel: Kernel, context: Context, types: Iterable[str], letter: str) -> Mapping[str, tuple[Condition, ...]]:
    """By type, what he may see of it."""
    return {kind: seen(context.caller, kind, letter, kernel.zone) for kind in types}


async def may_name(kernel: Kernel, context: Context, reader: Reader, reference: str) -> bool:
    """Whether a refusal may name this resource, own or followed, to the caller."""
    if not context.caller.bounded and context.caller.audiences is None:
        return True
    kind, _, name = reference.partition("/")
    row = await reading.current(reader, kind, name)
    return row is not None and visible(kernel, context, row)


def outside(resource_type: str) -> FhirError:
    """403: the type is granted, this resource lies beyond the token's limits."""
    return forbidden(
        f"The token does not reach this {resource_type}.",
        f"令牌的权限范围不含该 {resource_type}。",
        at=resource_type,
        detail="kernel.outside-scope",
    )


def _names(condition: Condition) -> bool:
    if not isinstance(condition, Clause) or condition.modifier or condition.parameter.code != "identifier":
        return False
    return all(isinstance(value, TokenValue) and value.code for value in condition.values)
