"""What is spoken: Accept and `_format` (406), Content-Type (415), `_pretty`; FHIR R4 as JSON in UTF-8."""

from __future__ import annotations

from functools import lru_cache

from slipring.fhir.interactions.respond import FHIR_JSON
from slipring.fhir.outcome import FhirError, invalid, refusal

PATCH = "application/json-patch+json"
FORM = "application/x-www-form-urlencoded"
RESOURCE = ("application/fhir+json", "application/json", "application/json+fhir", "text/json")
_VERSIONS = ("4.0", "4.0.1")
_OFFERED = ("application/fhir+json", "application/json", "application/json+fhir", "text/json")
_FORMATS = {"json": _OFFERED[0]} | {name: name for name in _OFFERED} | {n.replace("+", " "): n for n in _OFFERED}


def answered_as(accept: str, query: list[tuple[str, str]]) -> str:
    """The Content-Type of the answer; 406 when nothing that the client takes is offered. `_format` comes first."""
    asked = [value for name, value in query if name == "_format"]
    chosen = _by_format(asked[-1]) if asked else _by_accept(accept) if accept else FHIR_JSON
    if chosen is None:
        raise refusal(
            406,
            "not-supported",
            "Only application/fhir+json of FHIR 4.0 is offered.",
            "只提供 FHIR 4.0 的 application/fhir+json。",
            detail="kernel.only-application-fhir-json-fhir",
        )
    return chosen


def pretty(query: list[tuple[str, str]]) -> bool:
    """Whether `_pretty` asks for line breaks and indentation."""
    asked = [value for name, value in query if name == "_pretty"]
    if asked and asked[-1] not in ("true", "false"):
        raise invalid(
            "_pretty must be true or false.",
            "_pretty 必须是 true 或 false。",
            at="_pretty",
            detail="kernel.pretty-true-false",
        )
    return bool(asked) and asked[-1] == "true"


def demand_content_type(sent: str, allowed: tuple[str, ...]) -> None:
    """415 unless the body is said to be of an allowed type, in UTF-8 and of FHIR 4.0."""
    kind, parameters = _split(sent)
    charset = parameters.get("charset", "utf-8").lower()
    version = parameters.get("fhirversion", _VERSIONS[0])
    if kind in allowed and charset in ("utf-8", "utf8") and version in _VERSIONS:
        return
    en, zh = f"Content-Type must be {allowed[0]}", f"Content-Type 须为 {allowed[0]}"
    if allowed[0] == PATCH and kind in RESOURCE:
        en, zh = f"{en}: FHIRPath Patch is not offered", f"{zh}：不提供 FHIRPath Patch"
    elif kind in allowed:
        en, zh = f"{en} in UTF-8 and of FHIR 4.0", f"{zh}，且为 UTF-8、FHIR 4.0"
    raise _unspoken(f"{en}.", f"{zh}。", allowed)


def _unspoken(en: str, zh: str, allowed: tuple[str, ...]) -> FhirError:
    headers = {"Accept-Patch": PATCH} if allowed[0] == PATCH else {}
    return refusal(415, "not-supported", en, zh, headers=headers, detail="kernel.content-type")


def _by_format(asked: str) -> str | None:
    kind, parameters = _split(asked)
    if parameters.get("fhirversion", _VERSIONS[0]) not in _VERSIONS or kind not in _FORMATS:
        return None
    return _with_charset(_FORMATS[kind])


@lru_cache(maxsize=512)
def _by_accept(accept: str) -> str | None:
    """The offered type of the highest quality; the most specific range decides on a type (RFC 9110, 12.5.1)."""
    ranges = [_split(part) for part in accept[:2000].split(",") if part.strip()]
    best, best_quality = None, 0.0
    for offered in _OFFERED:
        fitting = [(_precision(kind), parameters) for kind, parameters in ranges if _fits(offered, kind, parameters)]
        if fitting:
            quality = _quality(max(fitting, key=lambda one: one[0])[1])
            if quality > best_quality:
                best, best_quality = offered, quality
    return _with_charset(best) if best else None


def _with_charset(kind: str) -> str:
    return FHIR_JSON if kind == _OFFERED[0] else f"{kind}; charset=utf-8"


def _fits(offered: str, kind: str, parameters: dict[str, str]) -> bool:
    if parameters.get("fhirversion", _VERSIONS[0]) not in _VERSIONS:
        return False
    return kind in (offered, "*/*", f"{offered.partition('/')[0]}/*")


def _precision(kind: str) -> int:
    return 0 if kind == "*/*" else 1 if kind.endswith("/*") else 2


def _quality(parameters: dict[str, str]) -> float:
    try:
        return min(max(float(parameters.get("q", "1")), 0.0), 1.0)
    except ValueError:
        return 0.0


def _split(written: str) -> tuple[str, dict[str, str]]:
    """A media type and its parameters, names in lower case."""
    kind, *rest = written.split(";")
    pairs = (part.partition("=") for part in rest)
    return kind.strip().lower(), {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
