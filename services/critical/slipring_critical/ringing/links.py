"""The link of a message: an unguessable secret that is good for one opening; only its digest is kept.

Whoever reads the record cannot open a link by it. A link says nothing of the case or the patient.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_critical.cases.resources import instant

LINK = f"{CANONICAL}/identifier/link"
LINK_USED = f"{CANONICAL}/StructureDefinition/link-used"
_BYTES = 16  # 128 random bits, 22 characters: fits a text message and no guess


def linked(attempt: Resource) -> tuple[Resource, dict[str, Any]]:
    """The attempt under a new link, and what its errand must know to send it."""
    secret = secrets.token_urlsafe(_BYTES)
    return {**attempt, "identifier": [{"system": LINK, "value": digest(secret)}]}, {"link": secret}


def digest(secret: str) -> str:
    """How a link is kept and found."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_used(attempt: Resource) -> bool:
    """Whether the link of an attempt was opened, or ended after too many wrong PINs."""
    return any(one["url"] == LINK_USED for one in attempt.get("extension", []))


def used(attempt: Resource, now: datetime) -> dict[str, Any]:
    """The members of an attempt whose link is used up."""
    return {"extension": [*attempt.get("extension", []), {"url": LINK_USED, "valueInstant": instant(now)}]}


def address(public_url: str, payload: Any, case: str) -> str:
    """Where a message leads: the acknowledgement page by its link; of an attempt without one, the case."""
    secret = payload.get("link")
    return f"{public_url.removesuffix('/fhir')}/a/{secret}" if secret else f"{public_url}/{case}"
