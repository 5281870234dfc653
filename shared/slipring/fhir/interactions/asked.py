"""One interaction as it was asked for, by HTTP or by an entry of a Bundle."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from slipring.fhir.interactions.negotiation import PATCH
from slipring.fhir.outcome import FhirError, invalid, not_found, refusal

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
MOST_PARAMETERS = 500
PRESENTATION = ("_format", "_pretty")
_READS = ("GET", "HEAD")
_READABLE = ("$validate", "$meta", "$everything", "$access-report", "$status", "$events", "$deliveries")


@dataclass(slots=True)
class Asked:
    """Method, address below the base, decoded parameters, body, and the request headers by lower-case name."""

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def steps(self) -> list[str]:
        """The segments of the address; a trailing slash means nothing."""
        return self.path.split("/") if self.path else []

    def only(self, *names: str) -> None:
        """400 for a parameter that would be ignored: the client meant something by it."""
        for name, _ in self.query:
            if name not in names and name not in PRESENTATION:
                known = ", ".join((*names, *PRESENTATION))
                raise invalid(
                    f"The parameter {name[:64]} means nothing here; known: {known}.",
                    f"此处没有参数 {name[:64]}；可用：{known}。",
                    at=name[:64],
                    detail="kernel.parameter-means-nothing",
                )

    def criteria(self) -> list[tuple[str, str]]:
        """What a conditional update, patch or delete searches by: all parameters but those of presentation."""
        return [(name, value) for name, value in self.query if name not in PRESENTATION]


def known_id(kind: str, name: str) -> str:
    """The id, if it can be one at all."""
    if not ID.fullmatch(name):
        raise not_found(f"{kind[:64]}/{name[:64]}")
    return name


def parameters(query: bytes) -> list[tuple[str, str]]:
    """The parameters of a query string or a form, which must be UTF-8."""
    if not query:
        return []
    try:
        return parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError as error:
        raise invalid(
            f"The parameters are not percent-encoded UTF-8, or more than {MOST_PARAMETERS}.",
            f"参数不是百分号编码的 UTF-8，或多于 {MOST_PARAMETERS} 个。",
            detail="kernel.parameters-not-percent-encoded-utf",
        ) from error


def allowed(steps: list[str], *, plain: bool = False) -> tuple[str, ...] | None:
    """The methods an address of this form takes; None when there is no such address.

    `plain`: the address calls an operation that GET calls too.
    """
    match steps:
        case []:
            return ("POST",)
        case ["metadata"] | ["_history"] | [_, "_history"] | [_, _, "_history"] | [_, _, "_history", _]:
            return _READS
        case [_, "_search"]:
            return ("POST",)
        case [_, name] | [_, _, name] if name.startswith("$"):
            return (*_READS, "POST") if plain or name in _READABLE else ("POST",)
        case [kind] if kind[:1].isupper():
            return (*_READS, "POST", "PUT", "PATCH", "DELETE")
        case [kind, name] if kind[:1].isupper() and ID.fullmatch(name):
            return (*_READS, "PUT", "PATCH", "DELETE")
    return None


def offered(steps: list[str], *, plain: bool = False) -> dict[str, str]:
    """The headers that answer OPTIONS; 404 where nothing is."""
    methods = allowed(steps, plain=plain)
    if methods is None:
        raise not_offered("OPTIONS", steps)
    taken = {"Allow": ", ".join((*methods, "OPTIONS"))}
    return taken | ({"Accept-Patch": PATCH} if "PATCH" in methods else {})


def not_offered(method: str, steps: list[str]) -> FhirError:
    """405 with Allow; 404 where nothing is; 400 for a search over all types, which names what to use."""
    if steps == ["_search"] or (not steps and method in _READS):
        return refusal(
            400,
            "not-supported",
            "A search needs a type: [type]?..., or several of them in a batch.",
            "检索须指明类型：[type]?...，多个类型请用 batch。",
            detail="kernel.search-needs-type",
        )
    methods = allowed(steps)
    if methods is None:
        return not_found("/".join(steps)[:128])
    return refusal(
        405,
        "not-supported",
        f"{method[:16]} is not offered at this address.",
        f"该地址不支持 {method[:16]}。",
        headers={"Allow": ", ".join((*methods, "OPTIONS"))},
        detail="kernel.not-offered-address",
    )
