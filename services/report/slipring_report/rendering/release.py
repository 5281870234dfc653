"""What the service vouches for at release: this rendering, made from these signatures, at this time.

The seal stands in the rendering's own extension, outside the signed form: it neither voids a signature nor needs one.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from slipring.fhir.service import CANONICAL, Desk, Resource
from slipring.signing.receipt import RELEASE, release

from slipring_report.rendering.html import HTML, as_attachment

RELEASE_SEAL = f"{CANONICAL}/StructureDefinition/release-seal"


def sealed_rendering(
    content: bytes,
    reference: str,
    form_sha256: str,
    signatures: Sequence[str],
    desk: Desk,
    creation: str,
    *,
    content_type: str = HTML,
) -> Resource:
    """`presentedForm` with its seal; `signatures` are the SHA-256 of the standing JWSs in their order."""
    seal = desk.seals.seal(statement(content, reference, form_sha256, signatures), RELEASE)
    extension = [{"url": RELEASE_SEAL, "valueString": seal}]
    title = "CT 检查报告 CT report"
    return as_attachment(content, content_type, title=title, creation=creation, extension=extension)


async def seal_faults(
    attachment: Resource, reference: str, form_sha256: str, signatures: Sequence[str], desk: Desk
) -> Sequence[str]:
    """Why the seal of a released rendering does not stand, as codes; none when it does."""
    seals = [each.get("valueString", "") for each in attachment.get("extension", []) if each.get("url") == RELEASE_SEAL]
    if len(seals) != 1:
        return ["seal-missing"]
    content = base64.b64decode(attachment.get("data", ""))
    return await desk.seals.faults(seals[0], statement(content, reference, form_sha256, signatures), RELEASE)


def statement(content: bytes, reference: str, form_sha256: str, signatures: Sequence[str]) -> bytes:
    """What the seal over a rendering covers."""
    return release(reference, form_sha256, hashlib.sha256(content).hexdigest(), signatures)
