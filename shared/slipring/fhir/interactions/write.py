"""create, update, delete: one resource checked, decided on by its keeper, and stored in one commit."""

from __future__ import annotations

from typing import Any

import asyncpg
from starlette.responses import Response

from slipring.fhir.act import Act, decided, perform, perform_locked
from slipring.fhir.checks.shape import check
from slipring.fhir.intent import Intent, Written
from slipring.fhir.interactions import standing
from slipring.fhir.interactions.references import condition, refuse_conditional
from slipring.fhir.interactions.respond import answer
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, invalid
from slipring.fhir.service import Resource
from slipring.fhir.store import reading
from slipring.fhir.store.reading import Row


def checked(tree: Resource, text: str, resource_type: str) -> None:
    """400 with every fault of the resource, each with its place."""
    if tree.get("resourceType") != resource_type:
        raise invalid(
            f"The resource in the body is not a {resource_type}.",
            f"请求体中的资源不是 {resource_type}。",
            at="resourceType",
        )
    issues = check(tree)
    if any(issue.severity in ("error", "fatal") for issue in issues):
        raise FhirError(400, issues)
    refuse_conditional(tree, text)


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
        held = await reading.search(connection, criteria, source="", limit=2)
        if len(held) > 1:
            raise standing.several(resource_type)
        if held:
            return Act(kernel, context, kernel.desk(context.caller, connection)), held[0]
        return await _creating(kernel, context, tree, text, connection)

    act, written, held = await perform_locked(kernel, [f"if-none-exist {criteria.canonical()}"], decide)
    if held is not None:
        return await _already(kernel, context, held)
    return _created(kernel, context, act, written[0])


async def update(
    kernel: Kernel,
    context: Context,
    resource_type: str,
    resource_id: str,
    text: str,
    tree: Resource,
    if_match: str | None,
) -> Response:
    """PUT [type]/[id]; If-Match compares versions (412); a client's own id only under the import scope."""
    kernel.kept(resource_type)
    if tree.get("id") != resource_id:
        raise invalid(
            f"{resource_type}.id must equal the id in the address.",
            f"{resource_type}.id 必须与地址中的 id 一致。",
            at=f"{resource_type}.id",
        )
    checked(tree, text, resource_type)

    async def decide() -> tuple[Act, bool]:
        pool = kernel.store.pool
        before = await standing.to_replace(kernel, context, resource_type, resource_id, if_match, pool)
        new = before is None or before.deleted
        act = Act(kernel, context, kernel.desk(context.caller))
        act.intend(Intent("create" if new else "update", tree, text, before))
        await decided(act, act.handle)
        return act, new

    act, written, new = await perform(kernel, decide)
    if new:
        return _created(kernel, context, act, written[0])
    return _represent(context, written[0], 200, act, {})


async def delete(
    kernel: Kernel, context: Context, resource_type: str, resource_id: str, if_match: str | None
) -> Response:
    """DELETE hides (410 on read); records of the retention table are refused unless draft or entered-in-error."""
    kernel.kept(resource_type)
    context.demand(resource_type, "d")

    async def decide() -> tuple[Act, None]:
        stored = await standing.to_delete(kernel, resource_type, resource_id, if_match, kernel.store.pool)
        act = Act(kernel, context, kernel.desk(context.caller))
        if stored is not None:
            act.intend(Intent("delete", stored.resource, "", stored))
            await decided(act, act.handle)
        return act, None

    await perform(kernel, decide)
    return Response(status_code=204)


async def _creating(kernel: Kernel, context: Context, tree: Resource, text: str, reader: Any) -> tuple[Act, None]:
    desk = kernel.desk(context.caller, reader)
    act = Act(kernel, context, desk)
    act.intend(Intent("create", {**tree, "id": desk.new_id()}, text))
    await decided(act, act.handle)
    return act, None


def _created(kernel: Kernel, context: Context, act: Act, written: Written) -> Response:
    location = f"{kernel.base}/{written.reference}/_history/{written.version}"
    return _represent(context, written, 201, act, {"Location": location})


async def _already(kernel: Kernel, context: Context, row: Row) -> Response:
    """The resource that stands; shown, and audited as read, to those who may read it."""
    location = f"{kernel.base}/{row.reference}/_history/{row.version}"
    shown = "return=minimal" not in context.prefer and context.caller.allows(row.type, "r")
    if shown:
        await kernel.store.audits.write(context.audit("read", f"{row.reference}/_history/{row.version}"), kernel.now())
    return answer(
        row.text if shown else "",
        200,
        version=row.version,
        updated_at=row.updated_at,
        headers={"Location": location},
    )


def _represent(context: Context, written: Written, status: int, act: Act, headers: dict[str, str]) -> Response:
    text = "" if "return=minimal" in context.prefer else written.text
    return answer(text, status, version=written.version, updated_at=act.desk.now, headers=headers)
