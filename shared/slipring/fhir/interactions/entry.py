"""One entry of a Bundle as the request it stands for (FHIR R4 http 3.1.0.11)."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl, unquote

from slipring.fhir.interactions.asked import MOST_PARAMETERS, Asked
from slipring.fhir.interactions.negotiation import PATCH, RESOURCE
from slipring.fhir.outcome import invalid, refusal

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_CONDITIONS = {
    "ifMatch": "if-match",
    "ifNoneMatch": "if-none-match",
    "ifNoneExist": "if-none-exist",
    "ifModifiedSince": "if-modified-since",
}


def entry_asked(base: str, entry: dict[str, Any], text: str | None) -> Asked:
    """The request of an entry; faults point at `request...` or `resource...` inside the entry."""
    request = entry.get("request") or {}
    method = request.get("method")
    if method not in METHODS:
        known = ", ".join(METHODS)
        raise invalid(
            f"request.method must be one of {known}.",
            f"request.method 须为 {known} 之一。",
            at="request.method",
            detail="kernel.entry-method",
        )
    path, query = _address(base, str(request.get("url", "")))
    headers = {name: str(request[member]) for member, name in _CONDITIONS.items() if member in request}
    body = (text or "").encode()
    if body and method in ("GET", "HEAD", "DELETE"):
        raise invalid(
            f"{method} takes no resource.", f"{method} 不得附资源。", at="resource", detail="kernel.takes-no-resource"
        )
    if method == "PATCH":
        body = _patch(entry.get("resource") or {})
        headers["content-type"] = PATCH
    elif body:
        headers["content-type"] = RESOURCE[0]
    return Asked(method, path, query, body, headers)


def _address(base: str, url: str) -> tuple[str, list[tuple[str, str]]]:
    """Path below the base and parameters; the URL may be relative to our base or begin with it."""
    below = url.removeprefix(base) if url == base or url.startswith((f"{base}/", f"{base}?")) else url
    path, _, query = below.partition("?")
    if "://" in path or path.startswith("urn:"):
        raise invalid(
            "request.url is not below this server.",
            "request.url 不在本服务器之下。",
            at="request.url",
            detail="kernel.request-url-not-below-server",
        )
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
        return unquote(path.strip("/"), errors="strict"), pairs
    except ValueError:
        raise invalid(
            f"request.url is not percent-encoded UTF-8, or has more than {MOST_PARAMETERS} parameters.",
            f"request.url 不是百分号编码的 UTF-8，或参数多于 {MOST_PARAMETERS} 个。",
            at="request.url",
            detail="kernel.request-url-not-percent-encoded",
        ) from None


def _patch(binary: dict[str, Any]) -> bytes:
    """The JSON Patch that a Binary carries in Base64."""
    if binary.get("resourceType") == "Parameters":
        raise refusal(
            422,
            "not-supported",
            "FHIRPath Patch is not offered: send a Binary with a JSON Patch.",
            "不提供 FHIRPath Patch：请以 Binary 附 JSON Patch。",
            at="resource",
            detail="kernel.fhirpath-patch-not-offered",
        )
    if binary.get("resourceType") != "Binary":
        raise invalid(
            "PATCH needs a Binary with a JSON Patch.",
            "PATCH 须附含 JSON Patch 的 Binary。",
            at="resource",
            detail="kernel.patch-needs-binary-json-patch",
        )
    if str(binary.get("contentType", "")).partition(";")[0].strip().lower() != PATCH:
        raise invalid(
            f"contentType must be {PATCH}.",
            f"contentType 须为 {PATCH}。",
            at="resource.contentType",
            detail="kernel.binary-content-type",
        )
    try:
        return base64.b64decode("".join(str(binary.get("data", "")).split()), validate=True)
    except (binascii.Error, ValueError):
        raise invalid(
            "data is not Base64.", "data 不是 Base64。", at="resource.data", detail="kernel.data-not-base64"
        ) from None
