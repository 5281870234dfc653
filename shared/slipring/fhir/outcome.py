"""The one exception of the kernel, and the OperationOutcome it becomes.

Every refusal says what is wrong and where, in Chinese and English (FHIR R4 OperationOutcome).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["fatal", "error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong: FHIR issue type `code`, both languages, and the FHIRPath it points at."""

    code: str
    zh: str
    en: str
    at: str = ""
    severity: Severity = "error"
    detail: str = ""  # a machine-readable code of our own, e.g. "order.clinical-question"


@dataclass(slots=True)
class FhirError(Exception):
    """A request that cannot be done: HTTP status, issues and extra headers."""

    status: int
    issues: Sequence[Issue]
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Only the codes and places: messages may be shown, but logs keep no free text."""
        return f"{self.status} " + "; ".join(f"{issue.code} at {issue.at or '-'}" for issue in self.issues)


def as_operation_outcome(issues: Sequence[Issue], language: str = "zh-CN") -> dict[str, Any]:
    """Write issues as an OperationOutcome: `details.text` in the chosen language, the other in `diagnostics`."""
    english = language.lower().startswith("en")
    written = []
    for issue in issues:
        first, second = (issue.en, issue.zh) if english else (issue.zh, issue.en)
        details: dict[str, Any] = {"text": first}
        if issue.detail:
            details = {
                "coding": [{"system": "https://slipring.example/fhir/CodeSystem/issue", "code": issue.detail}],
                "text": first,
            }
        entry: dict[str, Any] = {"severity": issue.severity, "code": issue.code, "details": details}
        entry["diagnostics"] = second
        if issue.at:
            entry["expression"] = [issue.at]
        written.append(entry)
    return {"resourceType": "OperationOutcome", "issue": written}


def refusal(
    status: int,
    code: str,
    en: str,
    zh: str,
    *,
    at: str = "",
    detail: str = "",
    headers: Mapping[str, str] | None = None,
) -> FhirError:
    """Make a FhirError with one issue."""
    return FhirError(status, [Issue(code, zh=zh, en=en, at=at, detail=detail)], headers or {})


def not_found(reference: str) -> FhirError:
    """404: nothing is kept here under this reference."""
    return refusal(
        404, "not-found", f"{reference} is not known here.", f"此处没有 {reference}。", detail="kernel.not-found"
    )


def gone(reference: str) -> FhirError:
    """410: the resource was deleted; its versions stay readable."""
    return refusal(410, "deleted", f"{reference} was deleted.", f"{reference} 已删除。", detail="kernel.deleted")


def conflict(
    en: str, zh: str, *, at: str = "", detail: str = "", headers: Mapping[str, str] | None = None
) -> FhirError:
    """409: the request does not fit the present state."""
    return refusal(409, "conflict", en, zh, at=at, detail=detail, headers=headers)


def invalid(en: str, zh: str, *, at: str = "", detail: str = "") -> FhirError:
    """400: the request itself is malformed."""
    return refusal(400, "invalid", en, zh, at=at, detail=detail)


def unprocessable(en: str, zh: str, *, at: str = "", detail: str = "", code: str = "business-rule") -> FhirError:
    """422: well-formed, but a rule forbids it."""
    return refusal(422, code, en, zh, at=at, detail=detail)


def forbidden(en: str, zh: str, *, at: str = "", detail: str = "") -> FhirError:
    """403: the caller is known but may not do this."""
    return refusal(403, "forbidden", en, zh, at=at, detail=detail)


def unauthorized(en: str, zh: str, *, detail: str = "") -> FhirError:
    """401: no valid token."""
    return refusal(401, "login", en, zh, detail=detail, headers={"WWW-Authenticate": 'Bearer realm="slipring"'})


def busy(en: str, zh: str, *, retry_after_seconds: int = 1, detail: str = "") -> FhirError:
    """503: right now it cannot be done; the caller should try again."""
    return refusal(503, "transient", en, zh, detail=detail, headers={"Retry-After": str(retry_after_seconds)})
