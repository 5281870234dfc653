"""What stands where a client wants to write: versions compared, client ids judged, records protected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from slipring.fhir import sight
from slipring.fhir.interactions.asked import ID
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, conflict, forbidden, gone, invalid, not_found, refusal
from slipring.fhir.service import Resource, Stored
from slipring.fhir.store import reading
from slipring.fhir.store.reading import Reader, Row

_OURS = re.compile(r"[a-z]-")  # ids made by a service: letter, dash, UUID
_ETAG = re.compile(r'(?:W/)?"?(\d{1,9})"?', re.ASCII)


@dataclass(frozen=True, slots=True)
class Conditions:
    """If-Match and If-None-Match of a write: version tags with commas, or `*` for whatever stands."""

    match: str | None = None
    none_match: str | None = None

    @staticmethod
    def of(headers: Mapping[str, str]) -> Conditions:
        """The conditions of a request."""
        return Conditions(headers.get("if-match"), headers.get("if-none-match"))


async def to_replace(
    kernel: Kernel, context: Context, resource_type: str, resource_id: str, conditions: Conditions, reader: Reader
) -> Stored | None:
    """The version a PUT replaces, also a deletion; None when the client may bring its own id."""
    if not context.imported:  # then nothing can be made at this address, and who may not update learns nothing
        context.demand(resource_type, "u")
    found = await reading.current(reader, resource_type, resource_id) if ID.fullmatch(resource_id) else None
    row = sight.known(kernel, context, found, "u")
    if found and (found.source or (row is None and context.imported)):
        raise not_found(f"{resource_type}/{resource_id}")
    if row:
        context.demand(resource_type, "u")
        _judge_version(kernel, context, row, conditions)
        return row.stored()
    if context.imported:
        context.demand(resource_type, "c")
    if conditions.match is not None:
        raise nothing_to_match()
    _judge_client_id(context, resource_type, resource_id)
    return None


async def to_patch(
    kernel: Kernel, context: Context, resource_type: str, resource_id: str, conditions: Conditions, reader: Reader
) -> Row:
    """The version a PATCH starts from."""
    found = await reading.current(reader, resource_type, resource_id) if ID.fullmatch(resource_id) else None
    row = sight.known(kernel, context, found, "u")
    if row is None or row.source:
        if conditions.match is not None:
            raise nothing_to_match()
        raise not_found(f"{resource_type}/{resource_id[:64]}")
    _judge_version(kernel, context, row, conditions)
    if row.deleted:
        raise gone(row.reference)
    return row


def _judge_version(kernel: Kernel, context: Context, row: Row, conditions: Conditions) -> None:
    """428 when the type demands If-Match, 412 when a condition fails."""
    if conditions.match is None and kernel.kept(row.type).if_match and not context.imported:
        raise refusal(
            428,
            "required",
            f"An update of {row.type} needs If-Match with the version it was made from.",
            f"更新 {row.type} 须以 If-Match 注明所依据的版本。",
            headers={"ETag": f'W/"{row.version}"'},
            detail="kernel.if-match-needed",
        )
    match_version(row, conditions.match)
    if conditions.none_match is not None and not row.deleted and names_version(conditions.none_match, row.version):
        raise refusal(
            412,
            "conflict",
            "If-None-Match names what stands; nothing was written.",
            "If-None-Match 所指版本已存在，未写入。",
            headers={"ETag": f'W/"{row.version}"'},
            detail="kernel.if-none-match-names-stands",
        )


def names_version(header: str, version: int) -> bool:
    """Whether a list of version tags, or `*`, names this version."""
    if header.strip() == "*":
        return True
    found = (_ETAG.fullmatch(tag.strip()) for tag in header.split(","))
    return any(match and int(match[1]) == version for match in found)


async def to_delete(
    kernel: Kernel, context: Context, resource_type: str, resource_id: str, if_match: str | None, reader: Reader
) -> Stored | None:
    """What a DELETE hides, None when that is done already; records of the retention table are refused (409)."""
    found = await reading.current(reader, resource_type, resource_id) if ID.fullmatch(resource_id) else None
    row = sight.known(kernel, context, found, "d")
    if row is None or row.source:
        if if_match is not None:
            raise nothing_to_match()
        raise not_found(f"{resource_type}/{resource_id[:64]}")
    match_version(row, if_match)
    if row.deleted:
        return None
    stored = row.stored()
    if kernel.kept(resource_type).record and not _was_never_one(stored.resource):
        raise conflict(
            f"{resource_type} is a record that must be kept; mark it entered-in-error instead of deleting it.",
            f"{resource_type} 属须保存的记录，不能删除；请标记为 entered-in-error。",
            at=f"{resource_type}.status",
            detail="kernel.record-is-kept",
        )
    return stored


def _was_never_one(record: Resource) -> bool:
    """Whether a record says of itself that it is not one yet, or one by mistake."""
    coded = record.get("verificationStatus", {})
    said = [coding.get("code") for coding in coded.get("coding", [])] if isinstance(coded, dict) else []
    return record.get("status") in ("draft", "entered-in-error") or "entered-in-error" in said


def match_version(row: Row, if_match: str | None) -> None:
    """412 unless If-Match names the current version; a deleted resource has none."""
    if if_match is None:
        return
    if row.deleted:
        raise nothing_to_match()
    if not names_version(if_match, row.version):
        raise refusal(
            412,
            "conflict",
            f"The current version is {row.version}, not the one of If-Match.",
            f"当前版本为 {row.version}，与 If-Match 不符。",
            headers={"ETag": f'W/"{row.version}"'},
            detail="kernel.version-stale",
        )


def several(resource_type: str, at: str = "") -> FhirError:
    """412: a condition that matches more than one resource decides nothing."""
    return refusal(
        412,
        "multiple-matches",
        f"More than one {resource_type} matches the condition.",
        f"有多个 {resource_type} 符合条件。",
        at=at,
        detail="kernel.condition-ambiguous",
    )


def nothing_to_match() -> FhirError:
    """412: the condition names a version of what is not there."""
    return refusal(
        412, "conflict", "There is no version to match.", "没有可匹配的版本。", detail="kernel.no-version-to-match"
    )


def _judge_client_id(context: Context, resource_type: str, resource_id: str) -> None:
    """Client-chosen ids tend to be card numbers: only the import scope may bring them."""
    if not ID.fullmatch(resource_id):
        raise invalid(
            "An id has 1 to 64 of A-Z a-z 0-9 - .",
            "id 只能含 1 至 64 个 A-Z a-z 0-9 - . 字符。",
            at=f"{resource_type}.id",
            detail="kernel.id-malformed",
        )
    if _OURS.match(resource_id):
        raise refusal(
            404 if not context.imported else 422,
            "not-found",
            f"{resource_type}/{resource_id} is not known here, and ids of this form are given by the services.",
            f"此处没有 {resource_type}/{resource_id}；该形式的 id 由服务分配。",
            at=f"{resource_type}.id",
            detail="kernel.id-of-our-form",
        )
    if not context.imported:
        raise forbidden(
            "A client may choose an id only with the scope slipring/import; POST the resource instead.",
            "只有持 slipring/import 权限方可自定 id；请改用 POST。",
            at=f"{resource_type}.id",
            detail="kernel.id-not-yours-to-choose",
        )
