"""What the server says no with, in its own words: an OperationOutcome as an exception."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx

_MAX_AGE = re.compile(r'error="insufficient_user_authentication".*?max_age="(\d+)"')


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that the server says: its stable code, both languages, and the element it points at."""

    zh: str
    en: str
    code: str = ""
    at: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        """As it is shown: both languages, then what they are about."""
        about = " ".join(text for text in (self.code, f"at {self.at}" if self.at else "") if text)
        return f"{self.zh} {self.en}" + (f" [{about}]" if about else "")


class Refused(Exception):
    """The server refuses; `issues` say why. `max_age`: a person has to sign in anew, within so many seconds (step-up)."""

    def __init__(self, status: int, issues: tuple[Said, ...], max_age: int | None = None) -> None:
        super().__init__(status, issues)
        self.status = status
        self.issues = issues
        self.max_age = max_age

    def __str__(self) -> str:
        """The status and every reason."""
        return f"{self.status}: " + "; ".join(map(str, self.issues))

    @property
    def codes(self) -> frozenset[str]:
        """The codes of the reasons, such as report.signers-differ."""
        return frozenset(each.code for each in self.issues if each.code)


class Unanswered(Exception):
    """No answer came: whether the request was carried out is not known. The message names no patient."""


class Distrusted(Exception):
    """What the server gave is not what it says it is; nothing is signed. The message is in both languages."""


def refused(response: httpx.Response) -> Refused:
    """An answer of 400 and above as what it says; asked with `Accept-Language: zh-CN`, so Chinese comes first."""
    try:
        tree: Any = response.json()
    except ValueError:
        tree = None
    issues = tuple(map(_said, tree.get("issue", []))) if isinstance(tree, dict) else ()
    if not issues:
        status = response.status_code
        issues = (Said(f"服务器答复 {status}，未说明原因。", f"The server answered {status} and gave no reason."),)
    asked = _MAX_AGE.search(response.headers.get("WWW-Authenticate", ""))
    return Refused(response.status_code, issues, int(asked[1]) if asked else None)


def _said(issue: Any) -> Said:
    details = issue.get("details", {})
    codes = [coding.get("code", "") for coding in details.get("coding", [])]
    places = issue.get("expression") or [""]
    return Said(
        str(details.get("text", "")),
        str(issue.get("diagnostics", "")),
        str(codes[0] if codes else issue.get("code", "")),
        str(places[0]),
        str(issue.get("severity", "error")),
    )
