"""Operations: Parameters in, a handler decides, one commit, Parameters or a resource out.

One that stores nothing sees one snapshot instead: its answer holds for one moment, whatever is written meanwhile.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from starlette.responses import Response

from slipring.fhir.act import Act, decided, perform
from slipring.fhir.checks.shape import check
from slipring.fhir.interactions.asked import Asked, not_offered
from slipring.fhir.interactions.negotiation import RESOURCE, demand_content_type
from slipring.fhir.interactions.parameters import addressed, faults, named
from slipring.fhir.interactions.respond import answer_tree
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, Issue, gone, invalid, not_found, refusal
from slipring.fhir.service import Call, Changes, Operation, Resource, Stored
from slipring.fhir.sight import demand_whole, known
from slipring.fhir.step_up import demand_fresh
from slipring.fhir.store import reading
from slipring.fhir.store.engine import snapshot
from slipring.fhir.text import parse


async def operate(
    kernel: Kernel, context: Context, resource_type: str, resource_id: str | None, name: str, asked: Asked
) -> Response:
    """Invoke `$name` on a type or an instance by POST."""
    asked.only()
    operation = _declared(kernel, resource_type, name, instance=resource_id is not None)
    _admit(kernel, context, operation)
    return await _carried_out(kernel, context, operation, resource_id, sent(kernel, operation, asked))


async def ask(
    kernel: Kernel, context: Context, resource_type: str, resource_id: str | None, name: str, asked: Asked
) -> Response:
    """Invoke `$name` by GET, where all it is asked may stand in an address; a refusal points at the parameter's name."""
    operation = _declared(kernel, resource_type, name, instance=resource_id is not None)
    if not operation.plain:
        raise not_offered(asked.method, asked.steps)
    _admit(kernel, context, operation)
    asked.only(*(one.name for one in operation.parameters if one.use == "in"))
    parameters = addressed(operation, asked)
    try:
        return await _carried_out(kernel, context, operation, resource_id, parameters)
    except FhirError as refused:
        issues = [replace(issue, at=named(issue.at, parameters)) for issue in refused.issues]
        raise FhirError(refused.status, issues, refused.headers) from refused


def _admit(kernel: Kernel, context: Context, operation: Operation) -> None:
    """Whether the caller may call it."""
    context.demand(operation.type, _letter(operation))
    for told in operation.tells:
        demand_whole(context, told)
    if operation.step_up is True:
        demand_fresh(context.caller, kernel.now(), kernel.step_up_seconds)


def _letter(operation: Operation) -> str:
    return "c" if operation.creates else "u" if operation.affects_state else "r"


async def _carried_out(
    kernel: Kernel, context: Context, operation: Operation, resource_id: str | None, parameters: Resource
) -> Response:
    _demand_sound(check(parameters))
    resource_type, name, letter = operation.type, operation.name, _letter(operation)
    touched = f"{resource_type}/{resource_id}/${name}" if resource_id else f"{resource_type}/${name}"

    async def call(seen: Kernel) -> Call:
        target = await _target(seen, context, resource_type, resource_id, letter)
        _demand_sound(faults(operation, parameters))  # not before: of what he may not see nobody learns anything
        if callable(operation.step_up) and operation.step_up(parameters):
            demand_fresh(context.caller, kernel.now(), kernel.step_up_seconds)
        return Call(parameters, target)

    async def decide() -> tuple[Act, Changes]:
        desk = kernel.desk(context.caller)
        asked_for = await call(kernel)
        act = Act(kernel, context, desk)
        changes = await decided(act, lambda: operation.handler(asked_for, desk))
        act.audits.append(context.audit("operation", touched, changes.status))
        return act, changes

    if operation.affects_state:
        _, _, changes = await perform(kernel, decide)
    else:
        changes = await _seen(kernel, context, operation, call, touched)
    return answer_tree(changes.answer or {"resourceType": "Parameters"}, changes.status)


async def _seen(
    kernel: Kernel, context: Context, operation: Operation, call: Callable[[Kernel], Awaitable[Call]], touched: str
) -> Changes:
    """What an operation that stores nothing answers; its row of the trail is written before the answer leaves."""
    async with snapshot(kernel.store.searches) as connection:
        seen = kernel.within(connection)
        desk = seen.desk(context.caller)
        changes = await operation.handler(await call(seen), desk)
    if not replace(changes, answer=None, refuse=None, require=()).nothing:
        raise LookupError(f"{operation.type}/${operation.name} is declared to store nothing, and its handler does")
    if changes.refuse:
        raise changes.refuse
    row = context.audit("operation", touched, changes.status, disclosed=list(changes.disclosed))
    await kernel.store.audits.write(row, desk.now)
    return changes


def _demand_sound(issues: Sequence[Issue]) -> None:
    if any(issue.severity in ("error", "fatal") for issue in issues):
        raise FhirError(400, issues)


def is_plain(kernel: Kernel, steps: Sequence[str]) -> bool:
    """Whether an address calls an operation of the service that GET calls too."""
    if len(steps) not in (2, 3) or not steps[-1].startswith("$"):
        return False
    found = _found(kernel, steps[0], steps[-1][1:], instance=len(steps) == 3)
    return found is not None and found.plain


def sent(kernel: Kernel, operation: Operation, asked: Asked) -> Resource:
    """The Parameters of a body; 400 for a body that is something else."""
    return demand_parameters(wrapped(operation, body_of(kernel, asked) or {"resourceType": "Parameters"}))


def demand_parameters(body: Resource) -> Resource:
    """The body, if it is what an operation takes."""
    if body.get("resourceType") != "Parameters":
        raise invalid(
            "The body of an operation is a Parameters resource.",
            "操作的请求体必须是 Parameters 资源。",
            at="resourceType",
            detail="kernel.body-operation-parameters-resource",
        )
    return body


def wrapped(operation: Operation, body: Resource) -> Resource:
    """A resource sent by itself as the one parameter it can only be, as FHIR lets a client do."""
    asked = [one for one in operation.parameters if one.use == "in"]
    fitting = next((one for one in asked if one.type == body.get("resourceType")), None)
    if fitting is None or any(one.min > 0 and one is not fitting for one in asked):
        return body
    return {"resourceType": "Parameters", "parameter": [{"name": fitting.name, "resource": body}]}


def body_of(kernel: Kernel, asked: Asked) -> Resource | None:
    """The resource in the body; None for a bare POST."""
    if not asked.body:
        return None
    demand_content_type(asked.headers.get("content-type", ""), RESOURCE)
    return parse(asked.body, max_bytes=kernel.max_body_bytes)[1]


def _found(kernel: Kernel, resource_type: str, name: str, *, instance: bool) -> Operation | None:
    called = (resource_type, name, "instance" if instance else "type")
    declared = kernel.service.operations
    return next((one for one in declared if (one.type, one.name, one.level) == called), None)


def _declared(kernel: Kernel, resource_type: str, name: str, *, instance: bool) -> Operation:
    kernel.kept(resource_type)
    if found := _found(kernel, resource_type, name, instance=instance):
        return found
    known = ", ".join(
        f"{o.type}/{'[id]/' if o.level == 'instance' else ''}${o.name}" for o in kernel.service.operations
    )
    raise refusal(
        404,
        "not-supported",
        f"No such operation; known here: {known}.",
        f"没有该操作；可用：{known}。",
        detail="kernel.no-such-operation",
    )


async def _target(
    kernel: Kernel, context: Context, resource_type: str, resource_id: str | None, letter: str
) -> Stored | None:
    if resource_id is None:
        return None
    row = known(kernel, context, await reading.current(kernel.store.pool, resource_type, resource_id), letter)
    if row is None or row.source:
        raise not_found(f"{resource_type}/{resource_id}")
    if row.deleted:
        raise gone(f"{resource_type}/{resource_id}")
    return row.stored()
