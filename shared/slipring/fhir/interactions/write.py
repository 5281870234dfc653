"""create, update, delete: one resource checked, decided on by its keeper, and stored in one commit."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

from starlette.responses import Response

from slipring.fhir.act import Act, Intent, Written, decided, perform
from slipring.fhir.checks.shape import check
from slipring.fhir.interactions.respond import answer
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, Issue, conflict, forbidden, gone, invalid, not_found, refusal
from slipring.fhir.search.criteria import parse
from slipring.fhir.service import Resource, Stored
from slipring.fhir.store import reading
from slipring.fhir.store.batch import Stale
from slipring.fhir.store.reading import Row

_ID = re.compile(r"^[A-Za-z0-9\-.]{1,64}$")
_OURS = re.compile(r"^[a-z]-")  # ids made by a service: letter, dash, UUID
_ETAG = re.compile(r'^(?:W/)?"?(\d{1,9})"?$')


def checked(tree: Resource, resource_type: str) -> None:
    """400/422 with every fault of the resource, each with its place."""
    if tree.get("resourceType") != resource_type:
        raise invalid(
            f"The resource in the body is not a {resource_type}.", f"请求体中的资源不是 {resource_type}。", at="resourceType"
        )
    issues = check(tree)
    if any(issue.severity in ("error", "fatal") for issue in issues):
        raise FhirError(400, issues)


async def create(
    kernel: Kernel, context: Context, resource_type: str, text: str, tree: Resource, if_none_exist: str | None
) -> Response:
    """POST [type]; with If-None-Exist at most one resource per criteria, however many ask at once."""
    kernel.kept(resource_type)
    context.demand(resource_type, "c")
    checked(tree, resource_type)

    if not if_none_exist:
        act, written, _ = await perform(kernel, lambda: _creating(kernel, context, tree, text, None))
        return _created(kernel, context, act, written[0])
    pairs = conditions(if_none_exist)
    criteria = parse(resource_type, pairs, zone=kernel.zone)
    for _ in range(4):
        try:
            async with kernel.store.transaction([condition_lock(resource_type, pairs)]) as connection:
                held = await reading.search(connection, criteria, source="", limit=2)
                if len(held) > 1:
                    raise several(resource_type)
                if held:
                    return _already(kernel, context, held[0])
                act, written, _ = await perform(
                    kernel, lambda c=connection: _creating(kernel, context, tree, text, c), within=connection
                )
        except Stale:  # outside the transaction, so that it is rolled back
            continue
        kernel.store.wake(act.batch)
        return _created(kernel, context, act, written[0])
    raise conflict("The state changes too quickly; try again.", "状态变化过快，请重试。")


async def update(
    kernel: Kernel, context: Context, resource_type: str, resource_id: str, text: str, tree: Resource, if_match: str | None
) -> Response:
    """PUT [type]/[id]; If-Match compares versions (412); a client's own id only under the import scope."""
    kernel.kept(resource_type)
    if tree.get("id") != resource_id:
        raise invalid(
            f"{resource_type}.id must equal the id in the address.",
            f"{resource_type}.id 必须与地址中的 id 一致。",
            at=f"{resource_type}.id",
        )
    checked(tree, resource_type)

    async def decide() -> tuple[Act, bool]:
        before = await standing(kernel, context, resource_type, resource_id, if_match)
        act = Act(kernel, context, kernel.desk(context.caller))
        act.intend(Intent("update" if before else "create", tree, text, before))
        await decided(act, act.handle)
        return act, before is None

    act, written, new = await perform(kernel, decide)
    if new:
        return _created(kernel, context, act, written[0])
    return _represent(context, written[0], 200, act, {})


async def delete(kernel: Kernel, context: Context, resource_type: str, resource_id: str, if_match: str | None) -> Response:
    """DELETE hides (410 on read); records of the retention table are refused unless draft or entered-in-error."""
    keeps = kernel.kept(resource_type)
    context.demand(resource_type, "d")

    async def decide() -> tuple[Act, None]:
        row = await reading.current(kernel.store.pool, resource_type, resource_id)
        if row is None or row.source:
            raise not_found(f"{resource_type}/{resource_id}")
        match_version(row, if_match)
        act = Act(kernel, context, kernel.desk(context.caller))
        if row.deleted:
            return act, None
        stored = row.stored()
        status = stored.resource.get("status")
        if keeps.record and status not in ("draft", "entered-in-error"):
            raise conflict(
                f"{resource_type} is a record that must be kept; mark it entered-in-error instead of deleting it.",
                f"{resource_type} 属须保存的记录，不能删除；请标记为 entered-in-error。",
                at=f"{resource_type}.status",
            )
        act.intend(Intent("delete", stored.resource, "", stored))
        await decided(act, act.handle)
        return act, None

    await perform(kernel, decide)
    return Response(status_code=204)


async def standing(
    kernel: Kernel, context: Context, resource_type: str, resource_id: str, if_match: str | None
) -> Stored | None:
    """The version a PUT replaces; None when the client may bring its own id."""
    row = await reading.current(kernel.store.pool, resource_type, resource_id)
    if row and row.source:
        raise not_found(f"{resource_type}/{resource_id}")
    if row:
        context.demand(resource_type, "u")
        match_version(row, if_match)
        if row.deleted:
            return Stored({"resourceType": resource_type, "id": resource_id}, row.version, row.updated_at)
        return row.stored()
    if if_match:
        raise refusal(412, "conflict", "There is no version to match.", "没有可匹配的版本。")
    context.demand(resource_type, "c")
    client_id(context, resource_type, resource_id)
    return None


def client_id(context: Context, resource_type: str, resource_id: str) -> None:
    """Client-chosen ids tend to be card numbers: only the import scope may bring them."""
    if not _ID.match(resource_id):
        raise invalid("An id has 1 to 64 of A-Z a-z 0-9 - .", "id 只能含 1 至 64 个 A-Z a-z 0-9 - . 字符。", at=f"{resource_type}.id")
    if _OURS.match(resource_id):
        raise refusal(
            404 if not context.imported else 422, "not-found",
            f"{resource_type}/{resource_id} is not known here, and ids of this form are given by the services.",
            f"此处没有 {resource_type}/{resource_id}；该形式的 id 由服务分配。", at=f"{resource_type}.id",
        )
    if not context.imported:
        raise forbidden(
            "A client may choose an id only with the scope slipring/import; POST the resource instead.",
            "只有持 slipring/import 权限方可自定 id；请改用 POST。",
            at=f"{resource_type}.id",
        )


def match_version(row: Row, if_match: str | None) -> None:
    """412 unless If-Match names the current version."""
    if if_match is None:
        return
    found = _ETAG.match(if_match.strip())
    if not found or int(found[1]) != row.version:
        raise refusal(
            412, "conflict", f"The current version is {row.version}, not the one of If-Match.",
            f"当前版本为 {row.version}，与 If-Match 不符。", headers={"ETag": f'W/"{row.version}"'},
        )


def conditions(text: str) -> list[tuple[str, str]]:
    """The criteria of If-None-Exist or a conditional URL."""
    pairs = parse_qsl(text.partition("?")[2] if "?" in text else text, keep_blank_values=True)
    if not pairs:
        raise invalid("If-None-Exist names no search criteria.", "If-None-Exist 未给出检索条件。")
    return pairs


def condition_lock(resource_type: str, pairs: list[tuple[str, str]]) -> str:
    """The canonical form of a condition, for its advisory lock."""
    return f"if-none-exist {resource_type} {sorted(pairs)}"


def several(resource_type: str, at: str = "") -> FhirError:
    """412: a condition that matches more than one resource decides nothing."""
    return refusal(
        412, "multiple-matches", f"More than one {resource_type} matches the condition.",
        f"有多个 {resource_type} 符合条件。", at=at,
    )


async def _creating(kernel: Kernel, context: Context, tree: Resource, text: str, reader: Any) -> tuple[Act, None]:
    desk = kernel.desk(context.caller, reader)
    act = Act(kernel, context, desk)
    act.intend(Intent("create", {**tree, "id": desk.new_id()}, text))
    await decided(act, act.handle)
    return act, None


def _created(kernel: Kernel, context: Context, act: Act, written: Written) -> Response:
    location = f"{kernel.base}/{written.reference}/_history/{written.version}"
    return _represent(context, written, 201, act, {"Location": location})


def _already(kernel: Kernel, context: Context, row: Row) -> Response:
    location = f"{kernel.base}/{row.reference}/_history/{row.version}"
    return answer(
        "" if "return=minimal" in context.prefer else row.text, 200, version=row.version, updated_at=row.updated_at,
        headers={"Location": location},
    )


def _represent(context: Context, written: Written, status: int, act: Act, headers: dict[str, str]) -> Response:
    text = "" if "return=minimal" in context.prefer else written.text
    return answer(text, status, version=written.version, updated_at=act.desk.now, headers=headers)


__all__ = ["Issue", "checked", "create", "delete", "gone", "update"]
