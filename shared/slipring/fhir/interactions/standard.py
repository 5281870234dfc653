"""Operations of the specifications, asked by GET or POST; those of the services are in `operation`."""

from __future__ import annotations

from starlette.responses import Response

from slipring.fhir.definitions.standard import STANDARD
from slipring.fhir.interactions import validate
from slipring.fhir.interactions.access_report import access_report
from slipring.fhir.interactions.asked import Asked, known_id, not_offered
from slipring.fhir.interactions.everything import everything
from slipring.fhir.interactions.given import Given
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import not_found

_OFFERED = {one.code: one for one in STANDARD}


def concerns(asked: Asked) -> bool:
    """Whether the address calls one of these operations."""
    return asked.steps[-1][1:] in _OFFERED if asked.path and asked.steps[-1].startswith("$") else False


async def answered(kernel: Kernel, context: Context, asked: Asked) -> Response:
    """The operation's answer; 405 where it is not offered for this address or method."""
    kind, *between, called = asked.steps
    operation = _OFFERED[called[1:]]
    if len(between) > 1 or not (operation.on_instance if between else operation.on_type):
        raise not_found("/".join(asked.steps)[:128])
    if asked.method != "POST" and (operation.affects_state or asked.method != "GET"):
        raise not_offered(asked.method, asked.steps)
    if operation.resource not in ("Resource", kind):
        raise not_found("/".join(asked.steps)[:128])
    name = known_id(kind, between[0]) if between else None
    given = Given.of(kernel, asked)
    if operation.code == "everything":
        return await everything(kernel, context, name or "", given)
    if operation.code == "access-report":
        return await access_report(kernel, context, name or "", given)
    kernel.kept(kind)
    if operation.code in kernel.operations:
        answer: Response = await kernel.operations[operation.code](kernel, context, name, given)
        return answer
    if operation.code == "validate":
        return await validate.validate(kernel, context, kind, name, given)
    if operation.code == "meta":
        return await validate.meta(kernel, context, kind, name or "", given)
    add = operation.code == "meta-add"
    return await validate.change_meta(kernel, context, kind, name or "", given, asked, add=add)
