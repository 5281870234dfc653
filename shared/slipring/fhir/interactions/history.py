"""history of a resource, a type or the whole service, newest first."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from starlette.responses import Response

from slipring.fhir.intent import written_instant
from slipring.fhir.interactions.respond import answer, bundle, entry
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import invalid, not_found
from slipring.fhir.store import reading

_MOST = 1000


async def history(
    kernel: Kernel, context: Context, resource_type: str | None, resource_id: str | None, pairs: list[tuple[str, str]]
) -> Response:
    """A history Bundle with `_count`, `_since` and a next link by position."""
    if resource_type:
        kernel.kept(resource_type)
    context.demand(resource_type or "*", "r" if resource_id else "s")
    given = dict(pairs)
    unknown = sorted(set(given) - {"_count", "_since", "_before", "_format", "_pretty"})
    if unknown:
        raise invalid(
            f"Unknown history parameter {unknown[0]}; known: _count, _since.",
            f"未知的 history 参数 {unknown[0]}；可用：_count、_since。",
            at=unknown[0],
            detail="kernel.unknown-history-parameter",
        )
    count = min(_whole(given.get("_count", "100"), "_count"), _MOST)
    since = _instant(given["_since"]) if "_since" in given else None
    before = _whole(given["_before"], "_before") if "_before" in given else None
    found = await reading.history(
        kernel.store.pool,
        resource_type=resource_type,
        resource_id=resource_id,
        since=since,
        before=before,
        limit=count + 1,
    )
    if resource_id and not found and before is None and since is None:
        raise not_found(f"{resource_type}/{resource_id}")
    page = found[:count]
    place = "/".join(part for part in (resource_type, resource_id) if part)
    await kernel.store.audits.write(
        context.audit(
            "history", place or "*", disclosed=[f"{row.reference}/_history/{row.version}" for _, row in page]
        ),
        kernel.now(),
    )
    address = f"{kernel.base}/{place}/_history" if place else f"{kernel.base}/_history"
    links = {"self": address}
    if len(found) > count and page:
        kept = f"&_since={quote(given['_since'])}" if since else ""
        links["next"] = f"{address}?_count={count}&_before={page[-1][0]}{kept}"
    return answer(bundle("history", [_entry(kernel, row) for _, row in page], links=links))


def _entry(kernel: Kernel, row: reading.Row) -> str:
    status = {"POST": "201", "PUT": "200", "DELETE": "204"}[row.method]
    url = row.type if row.method == "POST" else row.reference
    return entry(
        f"{kernel.base}/{row.reference}",
        None if row.method == "DELETE" else row.text,
        request={"method": row.method, "url": url},
        response={"status": status, "etag": f'W/"{row.version}"', "lastModified": written_instant(row.updated_at)},
    )


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise invalid(
            f"{name} must be a whole number.", f"{name} 必须是整数。", at=name, detail="kernel.not-a-whole-number"
        )
    return int(text)


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise invalid(
            "_since must be an instant.", "_since 必须是带时区的时刻。", at="_since", detail="kernel.since-instant"
        ) from error
    if moment.tzinfo is None:
        raise invalid(
            "_since needs a time zone.", "_since 必须带时区。", at="_since", detail="kernel.since-needs-time-zone"
        )
    return moment
