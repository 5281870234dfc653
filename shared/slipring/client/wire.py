"""Requests and answers: a question is asked again when no answer comes, an act only when it was surely not carried out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx

from slipring.client.refusal import Unanswered, refused

Tree = dict[str, Any]
_FHIR = {
    "Accept": "application/fhir+json",
    "Content-Type": "application/fhir+json",
    "Accept-Language": "zh-CN",
}
_TRIES = 4
_LONGEST_WAIT_SECONDS = 10.0
# Both say that nothing was done; the others that nobody knows.
_NOT_DONE = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)
_UNKNOWN = (httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT)


class Wire:
    """The front's FHIR address. Refused for an answer of 400 and above, Unanswered where none came."""

    def __init__(self, http: httpx.Client, wait: Callable[[float], None] = time.sleep) -> None:
        self.http = http
        self._wait = wait

    def read(self, path: str) -> Tree:
        """A resource, or whatever else a GET answers."""
        return self._sent("GET", path, None, safe=True)

    def found(self, type_name: str, **parameters: str) -> list[Tree]:
        """All resources that a search finds, page after page; a parameter's `_` stands for `-` but at its beginning."""
        query = {name[:1] + name[1:].replace("_", "-"): value for name, value in parameters.items()}
        return list(self._pages(f"{type_name}?{httpx.QueryParams(query)}"))

    def asked(self, path: str, *parameters: Tree) -> Tree:
        """An operation that stores nothing: asked again where no answer comes."""
        return self._sent("POST", path, _parameters(parameters), safe=True)

    def told(self, path: str, *parameters: Tree) -> Tree:
        """An operation that stores: sent again only after an answer that says that nothing was done."""
        return self._sent("POST", path, _parameters(parameters), safe=False)

    def created(self, resource: Tree) -> Tree:
        """A new resource, as it was stored; like `told`, sent again only when nothing was done."""
        return self._sent("POST", str(resource["resourceType"]), resource, safe=False)

    def together(self, transaction: Tree) -> Tree:
        """A transaction: all of it is kept, or nothing; like `told`, sent again only when nothing was done."""
        return self._sent("POST", "", transaction, safe=False)

    def _pages(self, path: str) -> Iterator[Tree]:
        while path:
            page = self.read(path)
            yield from (
                entry["resource"]
                for entry in page.get("entry", [])
                if entry.get("search", {}).get("mode", "match") == "match"
            )
            following = next((link["url"] for link in page.get("link", []) if link.get("relation") == "next"), "")
            # The query alone is followed: no answer leads the token to another host.
            path = f"{path.partition('?')[0]}?{httpx.URL(following).query.decode()}" if following else ""

    def _sent(self, method: str, path: str, body: Tree | None, *, safe: bool) -> Tree:
        content = None if body is None else json.dumps(body)
        for left in reversed(range(_TRIES)):
            try:
                answer = self.http.request(method, f"/fhir/{path}" if path else "/fhir", content=content, headers=_FHIR)
            except httpx.TransportError as problem:
                if not left or not (safe or isinstance(problem, httpx.ConnectError)):
                    raise Unanswered(_no_answer(self.http, problem)) from problem
                self._wait(_pause(left, {}))
                continue
            if left and (answer.status_code in _NOT_DONE or (safe and answer.status_code in _UNKNOWN)):
                self._wait(_pause(left, answer.headers))
                continue
            if answer.status_code in _UNKNOWN:
                raise Unanswered(f"服务器未答复（{answer.status_code}）。 No answer came ({answer.status_code}).")
            if answer.is_error:
                raise refused(answer)
            tree: Tree = answer.json()
            return tree
        raise AssertionError("the last try answers or raises")


def parameter(name: str, kind: str, value: Any) -> Tree:
    """One parameter of an operation: `parameter("role", "Code", "author")`."""
    return {"name": name, f"value{kind}": value}


def value_of(parts: Tree, name: str) -> Any:
    """The value of the parameter of this name, None where there is none."""
    return next(iter(values_of(parts, name)), None)


def values_of(parts: Tree, name: str) -> list[Any]:
    """The values (or resources) of all parameters of this name; `parts` has them as `parameter` or `part`."""
    named = [each for each in (parts.get("parameter") or parts.get("part") or []) if each.get("name") == name]
    return [next((value for key, value in each.items() if key != "name"), None) for each in named]


def _parameters(given: tuple[Tree, ...]) -> Tree:
    return {"resourceType": "Parameters", **({"parameter": list(given)} if given else {})}


def _pause(left: int, headers: Mapping[str, str]) -> float:
    asked = headers.get("Retry-After", "")
    return min(float(asked) if asked.isdecimal() else 0.5 * (_TRIES - left), _LONGEST_WAIT_SECONDS)


def _no_answer(http: httpx.Client, problem: httpx.TransportError) -> str:
    return f"{http.base_url} 未答复。 No answer came ({type(problem).__name__})."
