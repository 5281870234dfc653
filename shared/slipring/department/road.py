"""The one road of the pages: FHIR at the front, asked in the signed-in person's name as any client asks it.

Nothing is decided here. What a page may show and do is what the person's roles allow there; a refusal comes back as it
was said, in both languages and with the elements that it points at.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec

from slipring.fhir.outcome import FhirError, Issue, busy, not_found, refusal
from slipring.identity.people.sessions import Session

Tree = dict[str, Any]
# 7.50 stays 7.50 on its way through a page: how exactly something was measured is part of it.
_READ, _WRITTEN = msgspec.json.Decoder(float_hook=Decimal), msgspec.json.Encoder(decimal_format="number")
_FHIR = "application/fhir+json"
_FORM = "application/x-www-form-urlencoded"
_NOT_FOR_HIM = 403
_AT_ONCE = 100  # ids that one search may name
_MOST_PAGES = 20  # of a search that is read to its end
_FOLLOWING = re.compile(r"_(?:cursor|position)=[A-Za-z0-9_.%=\-]{1,6000}", re.ASCII)


def in_portions(every: Sequence[str]) -> list[Sequence[str]]:
    """Ids or references in portions that one search can name."""
    return [every[at : at + _AT_ONCE] for at in range(0, len(every), _AT_ONCE)]


@dataclass(frozen=True, slots=True)
class Road:
    """The way to the front's own FHIR address; `token` makes the token of a signed-in person's calls."""

    client: httpx.AsyncClient
    token: Callable[[Session], Awaitable[str]]

    async def of(self, session: Session) -> Hand:
        """The road in this person's name, for one page."""
        return Hand(self.client, await self.token(session))


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of a search; `following` leads to the next one, '' on the last: an opaque mark, fit for an address."""

    resources: list[Tree]
    following: str = ""


@dataclass(frozen=True, slots=True)
class Hand:
    """Somebody's calls for one page."""

    client: httpx.AsyncClient
    token: str

    async def read(self, reference: str) -> Tree:
        """A resource by `Type/id`; 404 and 403 are raised."""
        return await self._asked("GET", reference)

    async def found(self, kept_type: str, asked: Sequence[tuple[str, str]]) -> list[Tree]:
        """All matches and what they include, read to the end; more than a page can hold is refused, never cut off."""
        sheet = await self.sheet(kept_type, asked)
        every = sheet.resources
        for _ in range(_MOST_PAGES):
            if not sheet.following:
                return every
            sheet = await self.sheet(kept_type, [], sheet.following)
            every = every + sheet.resources
        raise refusal(
            422, "too-costly", "More is found than a page can show: narrow it.", "结果过多，无法显示：请缩小范围。",
            detail="department.too-many",
        )  # fmt: skip

    async def sheet(self, kept_type: str, asked: Sequence[tuple[str, str]], following: str = "") -> Sheet:
        """One page of a search; values travel in the body, so that no log of addresses names a patient."""
        if following and not _FOLLOWING.fullmatch(following):
            raise not_found(kept_type)
        if following:
            bundle = await self._asked("GET", f"{kept_type}?{following}")
        else:
            form = urlencode(asked).encode()
            bundle = await self._asked("POST", f"{kept_type}/_search", form, {"content-type": _FORM})
        further = next((str(one["url"]) for one in bundle.get("link", []) if one.get("relation") == "next"), "")
        entries = [entry["resource"] for entry in bundle.get("entry", []) if "resource" in entry]
        return Sheet(entries, urlsplit(further).query)

    async def counted(self, kept_type: str, asked: Sequence[tuple[str, str]]) -> int:
        """How many match."""
        form = urlencode([*asked, ("_summary", "count")]).encode()
        bundle = await self._asked("POST", f"{kept_type}/_search", form, {"content-type": _FORM})
        return int(bundle.get("total", 0))

    async def if_allowed(self, kept_type: str, asked: Sequence[tuple[str, str]]) -> list[Tree] | None:
        """The same; None when the person's roles do not open the type."""
        try:
            return await self.found(kept_type, asked)
        except FhirError as refused:
            if refused.status == _NOT_FOR_HIM:
                return None
            raise

    async def about(self, kept_type: str, by: str, values: Sequence[str], *more: tuple[str, str]) -> list[Tree] | None:
        """Everything of a type about these ids or references, asked for in portions side by side; None as above."""
        ways = [[(by, ",".join(portion)), *more, ("_count", "500")] for portion in in_portions(values)]
        told = await asyncio.gather(*(self.if_allowed(kept_type, way) for way in ways))
        return None if None in told else [one for found in told for one in found or []]

    async def history(self, reference: str) -> list[Tree]:
        """The versions of a resource, newest first."""
        bundle = await self._asked("GET", f"{reference}/_history?_count=100")
        return [entry["resource"] for entry in bundle.get("entry", []) if "resource" in entry]

    async def called(self, target: str, given: Sequence[Tree]) -> Tree:
        """An operation such as `Task/o-1/$decide` with its parameters."""
        parameters = {"resourceType": "Parameters"} | ({"parameter": list(given)} if given else {})
        return await self._asked("POST", target, _WRITTEN.encode(parameters), {"content-type": _FHIR})

    async def called_if_allowed(self, target: str, given: Sequence[Tree] = ()) -> list[Tree] | None:
        """The parameters that an operation answers with; None when the person's roles do not open it."""
        try:
            return list((await self.called(target, given)).get("parameter", []))
        except FhirError as refused:
            if refused.status == _NOT_FOR_HIM:
                return None
            raise

    async def together(self, transaction: Tree) -> Tree:
        """A transaction: all of it is kept, or nothing; 412 when a version it names is another one by now."""
        return await self._asked("POST", "", _WRITTEN.encode(transaction), {"content-type": _FHIR})

    async def made(self, resource: Tree) -> Tree:
        """A new resource, as it is kept."""
        headers = {"content-type": _FHIR, "prefer": "return=representation"}
        return await self._asked("POST", str(resource["resourceType"]), _WRITTEN.encode(resource), headers)

    async def replaced(self, resource: Tree) -> Tree:
        """A resource changed from the version that was read, as it is kept; 412 when it is another one by now."""
        headers = {"content-type": _FHIR, "prefer": "return=representation"}
        headers["if-match"] = f'W/"{resource["meta"]["versionId"]}"'
        reference = f"{resource['resourceType']}/{resource['id']}"
        return await self._asked("PUT", reference, _WRITTEN.encode(resource), headers)

    async def patched(self, resource: Tree, patch: Sequence[Tree]) -> None:
        """Change a resource from the version that was read; 412 when it is another one by now."""
        headers = {"content-type": "application/json-patch+json", "if-match": f'W/"{resource["meta"]["versionId"]}"'}
        reference = f"{resource['resourceType']}/{resource['id']}"
        await self._asked("PATCH", reference, _WRITTEN.encode(list(patch)), headers)

    async def _asked(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Tree:
        sent = {"authorization": f"Bearer {self.token}", "accept": _FHIR, "accept-language": "zh-CN", **(headers or {})}
        try:
            reply = await self.client.request(method, f"/fhir/{target}", content=body or None, headers=sent)
        except httpx.TransportError:
            raise busy(
                "The records cannot be reached right now. Nothing was lost; try again shortly.",
                "记录暂时无法访问，没有丢失任何内容；请稍后重试。",
                detail="department.records-away",
            ) from None
        tree: Tree = _READ.decode(reply.content) if reply.content else {}
        if reply.is_success:
            return tree
        raise FhirError(reply.status_code, [_issue(entry) for entry in tree.get("issue", [])] or [_silent()])


@dataclass(frozen=True, slots=True)
class _Said:
    """One issue of an OperationOutcome in the words of whoever refused."""

    zh: str
    en: str
    code: str


def _issue(entry: Mapping[str, Any]) -> Issue:
    details = entry.get("details", {})
    code = next((str(coding.get("code", "")) for coding in details.get("coding", [])), "")
    said = _Said(str(details.get("text", "")), str(entry.get("diagnostics", "")), code)
    at = next(iter(entry.get("expression", [])), "")
    return Issue(str(entry.get("code", "exception")), zh=said.zh, en=said.en, at=at, detail=said.code)


def _silent() -> Issue:
    return Issue(
        "exception", zh="服务没有说明原因。", en="The service gave no reason.", detail="department.refused-silently"
    )
