"""update, patch, delete: of a resource named by its id, or of the one that criteria find."""

from __future__ import annotations

from starlette.responses import Response

from slipring.fhir.act import Act, decided
from slipring.fhir.intent import Intent
from slipring.fhir.interactions import standing
from slipring.fhir.interactions.aim import Aim
from slipring.fhir.interactions.respond import answer, done, told
from slipring.fhir.interactions.soundness import checked
from slipring.fhir.interactions.standing import Conditions
from slipring.fhir.json_patch import Patch
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import invalid, refusal
from slipring.fhir.service import Resource
from slipring.fhir.sight import after_patch
from slipring.fhir.store.reading import Reader
from slipring.fhir.text import parse


async def update(
    kernel: Kernel, context: Context, aim: Aim, text: str, tree: Resource, conditions: Conditions
) -> Response:
    """PUT [type]/[id] or [type]?criteria; a client's own id only under the import scope."""
    if aim.id and tree.get("id") != aim.id:
        raise invalid(
            f"{aim.type}.id must equal the id in the address.",
            f"{aim.type}.id 必须与地址中的 id 一致。",
            at=f"{aim.type}.id",
            detail="kernel.id-equal-id-address",
        )
    checked(tree, text, aim.type)

    async def decide(reader: Reader) -> tuple[Act, bool]:
        act = Act(kernel, context, kernel.desk(context.caller, reader))
        intent = await replacing(act, aim, tree, text, conditions, reader)
        act.intend(intent)
        await decided(act, act.handle)
        return act, intent.method == "create"

    act, written, new = await aim.perform(kernel, decide)
    headers = {"Location": f"{kernel.base}/{written[0].reference}/_history/{written[0].version}"} if new else None
    return told(
        context,
        written[0].text,
        201 if new else 200,
        version=written[0].version,
        updated_at=act.desk.now,
        headers=headers,
    )


async def replacing(act: Act, aim: Aim, tree: Resource, text: str, conditions: Conditions, reader: Reader) -> Intent:
    """What a PUT means now: to change what stands, or to create (FHIR R4 http, conditional update)."""
    found = await aim.find(act.kernel, act.context, reader)
    given = str(tree.get("id", ""))
    if aim.criteria is not None and found and given and given != found:
        raise invalid(
            f"The condition finds another {aim.type} than {aim.type}.id names.",
            f"条件所得资源与 {aim.type}.id 不一致。",
            at=f"{aim.type}.id",
            detail="kernel.condition-finds-another-than-id",
        )
    named = found or given
    if not named:
        act.context.demand(aim.type, "c")
        if conditions.match is not None:
            raise standing.nothing_to_match()
        return Intent("create", {**tree, "id": act.desk.new_id()}, text)
    before = await standing.to_replace(act.kernel, act.context, aim.type, named, conditions, reader)
    new = before is None or before.deleted
    return Intent("create" if new else "update", {**tree, "id": named}, text, before)


async def patch(kernel: Kernel, context: Context, aim: Aim, body: bytes, conditions: Conditions) -> Response:
    """PATCH [type]/[id] or [type]?criteria with a JSON Patch; the result is checked like a PUT."""
    context.demand(aim.type, "u")
    steps = Patch.read(body, kernel.max_body_bytes)

    async def decide(reader: Reader) -> tuple[Act, None]:
        act = Act(kernel, context, kernel.desk(context.caller, reader))
        act.intend(await patching(act, aim, steps, conditions, reader))
        await decided(act, act.handle)
        return act, None

    act, written, _ = await aim.perform(kernel, decide)
    text = after_patch(kernel, context, aim.type, written[0].text)
    return told(context, text, 200, version=written[0].version, updated_at=act.desk.now)


async def patching(act: Act, aim: Aim, steps: Patch, conditions: Conditions, reader: Reader) -> Intent:
    """What a PATCH makes of the version that stands."""
    found = await aim.find(act.kernel, act.context, reader)
    if not found:
        raise refusal(
            404,
            "not-found",
            f"No {aim.type} matches the condition.",
            f"没有符合条件的 {aim.type}。",
            detail="kernel.no-matches-condition",
        )
    row = await standing.to_patch(act.kernel, act.context, aim.type, found, conditions, reader)
    text, tree = parse(steps.applied(row.text).encode(), max_bytes=act.kernel.max_body_bytes)
    checked(tree, text, aim.type)
    return Intent("update", tree, text, row.stored())


async def delete(kernel: Kernel, context: Context, aim: Aim, conditions: Conditions) -> Response:
    """DELETE hides (410 on read); records of the retention table are refused unless draft or entered-in-error."""
    context.demand(aim.type, "d")

    async def decide(reader: Reader) -> tuple[Act, None]:
        act = Act(kernel, context, kernel.desk(context.caller, reader))
        intent = await deleting(act, aim, conditions, reader)
        if intent is not None:
            act.intend(intent)
            await decided(act, act.handle)
        return act, None

    await aim.perform(kernel, decide)
    if context.returns == "OperationOutcome":
        return answer(done(context), 200, headers={"Preference-Applied": "return=OperationOutcome"})
    return Response(status_code=204)


async def deleting(act: Act, aim: Aim, conditions: Conditions, reader: Reader) -> Intent | None:
    """What a DELETE hides; None when that is done already, or when no resource matches the criteria."""
    found = await aim.find(act.kernel, act.context, reader)
    if not found:
        return None
    stored = await standing.to_delete(act.kernel, act.context, aim.type, found, conditions.match, reader)
    return Intent("delete", stored.resource, "", stored) if stored else None
