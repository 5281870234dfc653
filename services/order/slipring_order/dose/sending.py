"""Sending a dose report to the server: the file itself, so that it is read in one place whichever way it comes."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx

_FHIR_JSON = {"Content-Type": "application/fhir+json"}


class NotSent(Exception):
    """The server has no such exam, or refused the report; the message says which."""


def send(file: bytes, request: str | None, server: httpx.Client) -> str:
    """Store a report once with its exam; answers the Observation's reference."""
    given: list[dict[str, Any]] = [{"name": "report", "valueBase64Binary": base64.b64encode(file).decode()}]
    if request and request.startswith("ServiceRequest/"):
        given.append({"name": "request", "valueReference": {"reference": request}})
    elif request:
        given.append({"name": "imagingNumber", "valueString": request})
    body = {"resourceType": "Parameters", "parameter": given}
    answer = server.post("/fhir/Observation/$take-dose-report", content=json.dumps(body).encode(), headers=_FHIR_JSON)
    if not answer.is_success:
        raise NotSent(f"the server answered {answer.status_code}: {_said(answer)}")
    return f"Observation/{answer.json()['id']}"


def _said(answer: httpx.Response) -> str:
    try:
        return "; ".join(str(issue.get("diagnostics", issue.get("code"))) for issue in answer.json().get("issue", []))
    except ValueError:
        return "no reason given"
