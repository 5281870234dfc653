"""Writes of one resource: the address decides on the interaction; here create, in `change` the others."""

from __future__ import annotations

from typing import Any

import asyncpg
from starlette.responses import Response

from slipring.fhir.act import Act, decided, perform, perform_locked
from slipring.fhir.intent import Intent, Written
from slipring.fhir.interactions import change
from slipring.fhir.interactions.aim import Aim, lock_of, the_only
from slipring.fhir.interactions.asked import Asked, not_offered
from slipring.fhir.interactions.negotiation import PATCH, RESOURCE, demand_content_type
from slipring.fhir.interactions.references import condition
from slipring.fhir.interactions.respond import answer, told
from slipring.fhir.interactions.soundness import checked
from slipring.fhir.interactions.standing import Conditions
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.service import Resource
from slipring.fhir.sight import visible
from slipring.fhir.store.reading import Row
from slipring.fhir.text import parse


async def write(kernel: Kernel, context: Context, asked: Asked) -> Response:
    """POST, PUT, PATCH and DELETE on a type or a resource."""
    match asked.method, asked.steps:
        case "POST", [kind] if kind[:1] not in ("_", "$"):
            asked.only()
            text, tree = _resource(kernel, asked)
            return await create(kernel, context, kind, text, tree, asked.headers.get("if-none-exist"))
        case (("PUT" | "PATCH" | "DELETE"), [kind, *name]) if kind[:1].isupper() and len(name) < 2:
            kernel.kept(kind)
            if name and name[0].startswith(("_", "$")):
                raise not_offered(asked.method, asked.steps)
            return await _change(kernel, context, asked, Aim.of(kernel, kind, "".join(name), asked))
    raise not_offered(asked.method, asked.steps)


async def _change(kernel: Kernel, context: Context, asked: Asked, aim: Aim) -> Response:
    conditions = Conditions.of(asked.headers)
    if asked.method == "DELETE":
        return await change.delete(kernel, context, aim, conditions)
    if asked.method == "PATCH":
        demand_content_type(asked.headers.get("content-type", ""), (PATCH,))
        return await change.patch(kernel, context, aim, asked.body, conditions)
    text, tree = _resource(kernel, asked)
    return await change.update(kernel, context, aim, text, tree, conditions)


def _resource(kernel: Kernel, asked: Asked) -> tuple[str, Resource]:
    demand_content_type(asked.headers.get("content-type", ""), RESOURCE)
    return parse(asked.body, max_bytes=kernel.max_body_bytes)


async def create(
    kernel: Kernel, context: Context, resource_type: str, text: str, tree: Resource, if_none_exist: str | None
) -> Response:
    """POST [type]; with If-None-Exist at most one resource per criteria, however many ask at once."""
    kernel.kept(resource_type)
    context.demand(resource_type, "c")
    checked(tree, text, resource_type)
    if if_none_exist is None:
        act, written, _ = await perform(kernel, lambda: _creating(kernel, context, tree, text, None))
        return _created(kernel, context, act, written[0])
    return await _create_once(kernel, context, resource_type, text, tree, if_none_exist)


async def _create_once(
    kernel: Kernel, context: Context, resource_type: str, text: str, tree: Resource, if_none_exist: str
) -> Response:
    criteria = condition(kernel, resource_type, if_none_exist)

    async def decide(connection: asyncpg.Connection) -> tuple[Act, Row | None]:
        held = await the_only(kernel, context, connection, criteria)
        if held:
            return Act(kernel, context, kernel.desk(context.caller, connection)), held
        return await _creating(kernel, context, tree, text, connection)

    act, written, held = await perform_locked(kernel, [lock_of(criteria)], decide)
    if held is not None:
        return await _already(kernel, context, held)
    return _created(kernel, context, act, written[0])


async def _creating(kernel: Kernel, context: Context, tree: Resource, text: str, reader: Any) -> tuple[Act, None]:
    desk = kernel.desk(context.caller, reader)
    act = Act(kernel, context, desk)
    act.intend(Intent("create", {**tree, "id": desk.new_id()}, text))
    await decided(act, act.handle)
    return act, None


def _created(kernel: Kernel, context: Context, act: Act, written: Written) -> Response:
    location = f"{kernel.base}/{written.reference}/_history/{written.version}"
    return told(
        context,
        written.text,
        201,
        version=written.version,
        updated_at=act.desk.now,
        headers={"Location": location},
    )


async def _already(kernel: Kernel, context: Context, row: Row) -> Response:
    """The resource that stands; shown, and audited as read, to those who may read it."""
    location = {"Location": f"{kernel.base}/{row.reference}/_history/{row.version}"}
    if not context.caller.allows(row.type, "r") or not visible(kernel, context, row):
        return answer("", 200, version=row.version, updated_at=row.updated_at, headers=location)
    if context.returns in ("", "representation"):
        await kernel.store.audits.write(context.audit("read", f"{row.reference}/_history/{row.version}"), kernel.now())
    return told(context, row.text, 200, version=row.version, updated_at=row.updated_at, headers=location)
