"""Tells the story: one line for each exchange, with its time; a step that does not hold ends it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from slipring.fhir.text import encode

Tree = dict[str, Any]
_TRIES = 10
_FHIR = {"Content-Type": "application/fhir+json", "Accept-Language": "en"}


class StepFailed(Exception):
    """Something did not go as the story must."""


@dataclass
class Teller:
    """Speaks FHIR as the HIS does and prints what is said."""

    http: httpx.Client
    steps: int = 0
    begun: float = field(default_factory=time.monotonic)

    def say(self, title: str) -> None:
        """A new step of the story."""
        self.steps += 1
        print(f"\n{self.steps:2}. {title}", flush=True)

    def note(self, text: str) -> None:
        """What this exchange showed."""
        print(f"      {text}", flush=True)

    def ask(
        self, method: str, path: str, body: Tree | None = None, expect: int | tuple[int, ...] = 200, **headers: str
    ) -> Tree:
        """One exchange; its answer as a tree."""
        content = encode(body).encode() if body is not None else None
        sent = {**_FHIR, **{name.replace("_", "-"): value for name, value in headers.items()}}
        begun = time.perf_counter()
        response = self.http.request(method, f"/fhir/{path}".rstrip("/"), content=content, headers=sent)
        tries = 1
        while response.status_code == httpx.codes.SERVICE_UNAVAILABLE and tries < _TRIES:  # as Retry-After asks
            time.sleep(float(response.headers.get("retry-after", "1")))
            response = self.http.request(method, f"/fhir/{path}".rstrip("/"), content=content, headers=sent)
            tries += 1
        spent = (time.perf_counter() - begun) * 1000
        label = f"{(body or {}).get('resourceType', '')}" if method in ("POST", "PUT") else ""
        print(f"      {method:4} /fhir/{path} {label} -> {response.status_code}   {spent:.0f} ms", flush=True)
        expected = expect if isinstance(expect, tuple) else (expect,)
        if response.status_code not in expected:
            raise StepFailed(f"{method} {path}: {response.status_code} instead of {expected}\n{response.text[:2000]}")
        tree: Tree = response.json() if response.content else {}
        return tree

    def created(self, resource: Tree, **headers: str) -> Tree:
        """POST a resource."""
        return self.ask("POST", resource["resourceType"], resource, (200, 201), **headers)

    def saved(self, resource: Tree, expect: int | tuple[int, ...] = 200) -> Tree:
        """PUT a resource back with If-Match."""
        path = f"{resource['resourceType']}/{resource['id']}"
        return self.ask("PUT", path, resource, expect, If_Match=f'W/"{resource["meta"]["versionId"]}"')

    def found(self, query: str, *, quiet: bool = False) -> list[Tree]:
        """Search."""
        if quiet:
            response = self.http.get(f"/fhir/{query}", headers={"Accept-Language": "en"})
            if response.status_code != 200:
                raise StepFailed(f"GET {query}: {response.status_code}\n{response.text[:1000]}")
            bundle = response.json()
        else:
            bundle = self.ask("GET", query)
        return [entry["resource"] for entry in bundle.get("entry", [])]

    def wait_for(self, query: str, what: str, holds: Any = bool, seconds: float = 20) -> Tree:
        """Search until something is there that holds; delivery is asynchronous by design."""
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            for resource in self.found(query, quiet=True):
                if holds(resource):
                    print(
                        f"      GET  /fhir/{query} -> {what}   after {(time.monotonic() - begun) * 1000:.0f} ms",
                        flush=True,
                    )
                    return resource
            time.sleep(0.05)
        raise StepFailed(f"{what} did not appear within {seconds:.0f} s ({query})")

    def must(self, holds: object, what: str) -> None:
        """A claim of the story."""
        if not holds:
            raise StepFailed(what)
        self.note(f"✓ {what}")


def parameters(**values: Any) -> Tree:
    """A Parameters resource; each keyword is `name=(type suffix, value)`."""
    given = [{"name": name, f"value{kind}": value} for name, (kind, value) in values.items() if value is not None]
    return {"resourceType": "Parameters"} | ({"parameter": given} if given else {})


def value_of(tree: Tree, name: str) -> Any:
    """The value of a parameter in an answer."""
    for parameter in tree.get("parameter", []):
        if parameter["name"] == name:
            return next((v for k, v in parameter.items() if k.startswith("value") or k == "resource"), None)
    return None
