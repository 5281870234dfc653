"""What a HIS keeps behind the front: made resources of every service, and how a test asks for them."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
from slipring.fhir.service import CANONICAL as C

from tests.support.department import FHIR, Department

Tree = dict[str, Any]
_NUMBERS = itertools.count(1)
IMPORTING = "system/*.cruds slipring/import system/AuditEvent.rs"


def coded(system: str, code: str) -> Tree:
    """A CodeableConcept."""
    return {"coding": [{"system": system, "code": code}]}


def task_coded(code: str) -> Tree:
    """The code that says whose Task it is."""
    return coded(f"{C}/CodeSystem/task-code", code)


def to(resource: Tree | str) -> Tree:
    """A Reference."""
    return {"reference": resource if isinstance(resource, str) else f"{resource['resourceType']}/{resource['id']}"}


def fresh(stem: str) -> str:
    """A name nobody else uses."""
    return f"{stem}{next(_NUMBERS)}"


class His:
    """A client that knows one address."""

    def __init__(self, department: Department, scope: str = "system/*.cruds", name: str = "demo-his") -> None:
        self.http = department.client(name, scope)

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One request below `/fhir`; a body is sent as FHIR JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is None:
            return await self.http.request(method, f"/fhir/{path}".rstrip("/"), headers=sent)
        kind = {"json": body} if isinstance(body, dict | list) else {"content": body}
        return await self.http.request(method, f"/fhir/{path}".rstrip("/"), headers={**FHIR, **sent}, **kind)

    async def made(self, resource: Tree, **headers: str) -> Tree:
        """Create a resource that must be taken."""
        answer = await self.ask("POST", resource["resourceType"], resource, **headers)
        assert answer.status_code == 201, answer.text
        tree: Tree = answer.json()
        return tree

    async def kept(self, resource: Tree) -> Tree:
        """Put a resource under its own id."""
        answer = await self.ask("PUT", f"{resource['resourceType']}/{resource['id']}", resource)
        assert answer.status_code in (200, 201), answer.text
        tree: Tree = answer.json()
        return tree

    async def bundle(self, path: str) -> Tree:
        """The Bundle that a GET is answered with."""
        answer = await self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        tree: Tree = answer.json()
        return tree

    async def pages(self, path: str, most: int = 100) -> list[Tree]:
        """All pages of a search, each as a Bundle."""
        found = [await self.bundle(path)]
        while following := next((link["url"] for link in found[-1]["link"] if link["relation"] == "next"), None):
            assert len(found) < most, "the pages never end"
            assert following.startswith("http://127.0.0.1:8100/fhir"), following
            found.append(await self.bundle(following.removeprefix("http://127.0.0.1:8100/fhir/")))
        return found

    async def ids(self, path: str) -> list[str]:
        """The ids of all matches of a search over all its pages."""
        return [e["resource"]["id"] for page in await self.pages(path) for e in matches(page)]


def matches(bundle: Tree) -> list[Tree]:
    """The entries that match."""
    return [e for e in bundle.get("entry", ()) if e["search"]["mode"] == "match"]


def included(bundle: Tree) -> list[str]:
    """What came along, as `Type/id`, sorted."""
    found = [e["resource"] for e in bundle.get("entry", ()) if e["search"]["mode"] == "include"]
    return sorted(f"{tree['resourceType']}/{tree['id']}" for tree in found)


def reference(tree: Tree) -> str:
    """`Type/id`."""
    return f"{tree['resourceType']}/{tree['id']}"


def a_patient(family: str, **members: Any) -> Tree:
    """A synthetic person."""
    return {"resourceType": "Patient", "name": [{"family": family}], **members}


def a_request(patient: Tree, **members: Any) -> Tree:
    """A request for a CT, as history: no rule judges what is imported."""
    return {
        "resourceType": "ServiceRequest", "status": "completed", "intent": "order", "subject": to(patient),
        "code": coded("http://loinc.org", "24627-2"), **members,
    }  # fmt: skip


def a_report(request: Tree, **members: Any) -> Tree:
    """A final report made before."""
    return {
        "resourceType": "DiagnosticReport", "status": "final", "subject": request["subject"], "basedOn": [to(request)],
        "code": coded("http://loinc.org", "24627-2"), "issued": "2026-11-20T08:00:00Z", **members,
    }  # fmt: skip


def a_task(code: str, **members: Any) -> Tree:
    """A task of one of the services, told by its code."""
    return {"resourceType": "Task", "status": "requested", "intent": "order", "code": task_coded(code), **members}


def an_observation(patient: Tree, category: str = "laboratory", **members: Any) -> Tree:
    """A laboratory value is kept by order, an imaging finding by report."""
    return {
        "resourceType": "Observation", "status": "final", "subject": to(patient),
        "category": [coded("http://terminology.hl7.org/CodeSystem/observation-category", category)],
        "code": coded("http://loinc.org", "33914-3"), "valueString": "synthetic", **members,
    }  # fmt: skip
