"""One FHIR base under test: a service's own, or the front's, and what is kept there by the declarations."""

from __future__ import annotations

import asyncio
import json
import re
import traceback
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from slipring.fhir.service import Keeps
from slipring.process import installed_services

from tests.support.shapes import smallest

Resource = dict[str, Any]
FHIR_JSON = "application/fhir+json"
SERVICES = installed_services()
SUBSCRIPTION = Keeps("Subscription")  # every service keeps it, without saying so
# The types at each base, from the declarations and nothing else.
KEPT: dict[str, dict[str, Keeps]] = {
    name: {keeps.type: keeps for keeps in (*service.keeps, SUBSCRIPTION)} for name, service in SERVICES.items()
}
UNION = {name: keeps for kept in KEPT.values() for name, keeps in kept.items()}

# What an invariant of R4 or a handler asks for beyond the required elements of the type.
MORE: dict[str, Resource] = {
    "AllergyIntolerance": {  # ait-1
        "clinicalStatus": {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}
            ]
        }
    },
    "Appointment": {  # app-1, app-3
        "status": "proposed",
        "participant": [{"actor": {"reference": "Patient/1"}, "status": "needs-action"}],
    },
    "Consent": {"policyRule": {"text": "one"}},  # ppc-1
    "Organization": {"name": "one"},  # org-1
    "DiagnosticReport": {
        "status": "partial",  # signatures move it on
        "basedOn": [{"reference": "ServiceRequest/1"}],
        "subject": {"reference": "Patient/1"},
    },
    "Subscription": {
        "status": "off",
        "criteria": "Task?code=https://slipring.example/fhir/CodeSystem/task-code|exam&status=failed",
        "channel": {"type": "rest-hook", "endpoint": "https://his.example.org/changed"},
    },
}

_NAMES = re.compile(r"[a-z]-[0-9a-f-]{36}|[0-9a-f]{32}")
every_base = pytest.mark.parametrize("base", [*KEPT, "front"])
_AT_ONCE = 12  # types looked at side by side, so that their commits share a flush


@dataclass
class Address:
    """Speaks to one base in the name of a client that may do everything."""

    name: str
    client: httpx.AsyncClient
    importer: httpx.AsyncClient  # the same, with the import scope

    @property
    def root(self) -> str:
        """The path of the FHIR base."""
        return "/fhir" if self.name == "front" else f"/{self.name}/fhir"

    async def ask(
        self, method: str, path: str = "", body: Any = None, *, by: httpx.AsyncClient | None = None, **headers: str
    ) -> httpx.Response:
        """One request; a body that is not text or bytes is written as JSON; `If_Match` is the header If-Match."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent.setdefault("Content-Type", FHIR_JSON)
        content = body if isinstance(body, str | bytes | None) else json.dumps(body, ensure_ascii=False)
        address = f"{self.root}/{path}" if path else self.root
        return await (by or self.client).request(method, address, content=content, headers=sent)

    async def made(self, kind: str, **members: Any) -> Resource:
        """A new resource of a type: the smallest that its keeper takes."""
        answer = await self.ask("POST", kind, sample(kind, **members))
        assert answer.status_code == 201, f"{kind}: {answer.status_code} {answer.text}"
        tree: Resource = answer.json()
        return tree

    async def bundle(self, path: str) -> Resource:
        """A search or history that must answer."""
        answer = await self.ask("GET", path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        tree: Resource = answer.json()
        return tree

    async def found(self, query: str) -> list[str]:
        """The ids a search finds, in order."""
        return [entry["resource"]["id"] for entry in (await self.bundle(query)).get("entry", [])]

    async def statement(self, kind: str) -> Resource:
        """What the CapabilityStatement says of a type."""
        listed = (await self.bundle("metadata"))["rest"][0]["resource"]
        found: Resource = next(resource for resource in listed if resource["type"] == kind)
        return found

    def below(self, url: str) -> str:
        """The path below the base of an absolute address the server gave."""
        assert f"{self.root}/" in url, url
        return url.partition(f"{self.root}/")[2]


def sample(kind: str, **members: Any) -> Resource:
    """The smallest resource of a type that its keeper takes, with a tag that names it alone."""
    tag = {"system": "urn:test", "code": uuid.uuid4().hex}
    return {**smallest(kind), **MORE.get(kind, {}), "meta": {"tag": [tag]}, **members}


def tag_of(resource: Resource) -> str:
    """The token that finds this sample and no other."""
    tag = resource["meta"]["tag"][0]
    return f"{tag['system']}|{tag['code']}"


def changed(resource: Resource) -> Resource:
    """The same resource with a content that says it was changed."""
    return {**resource, "language": "en" if resource.get("language") == "zh" else "zh"}


def refused(answer: httpx.Response, *statuses: int) -> list[str]:
    """The refusal is an OperationOutcome in both languages; the places it points at."""
    assert answer.status_code in statuses, (
        f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:600]}"
    )
    assert answer.headers["content-type"].startswith(FHIR_JSON), answer.headers
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"], outcome
    for issue in outcome["issue"]:
        assert issue["severity"] in ("error", "fatal", "warning", "information")
        assert issue["details"]["text"]
        assert issue["diagnostics"]
        assert not issue["details"]["text"].isascii() or not issue["diagnostics"].isascii(), "one language only"
    return [place for issue in outcome["issue"] for place in issue.get("expression", [])]


def every_kept_type(check: Callable[[Address, str], Awaitable[None]]) -> Any:
    """Make one test per base out of a check of one type; a failure lists every type with what is wrong."""

    async def test(at: Address) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def wrong(kind: str) -> tuple[str, str]:
            async with gate:
                try:
                    await check(at, kind)
                except Exception as error:
                    last = traceback.extract_tb(error.__traceback__)[-1]
                    return kind, f"line {last.lineno}: {type(error).__name__} {str(error)[:700]}"
            return kind, ""

        kinds = UNION if at.name == "front" else KEPT[at.name]
        found = await asyncio.gather(*(wrong(kind) for kind in kinds))
        all_of((kind, problem) for kind, problem in found if problem)

    test.__name__, test.__doc__, test.__module__ = check.__name__, check.__doc__, check.__module__
    return every_base(test)


def all_of(problems: Iterable[tuple[str, str]]) -> None:
    """Fail with everything that is wrong at once; what is wrong with many types alike is said once."""
    together: dict[str, list[str]] = {}
    for kind, problem in problems:
        alike = _NAMES.sub("...", problem.replace(kind, "[type]"))
        together.setdefault(alike, []).append(kind)
    assert not together, "\n".join(f"{', '.join(kinds)}: {problem}" for problem, kinds in together.items())
