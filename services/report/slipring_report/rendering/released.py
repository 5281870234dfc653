"""What a release adds to a report: the time of issue, and its rendering as HTML and PDF under the service's seal.

A PDF takes a second or two. It is made before the commit, outside the event loop and without any lock; whatever was
read meanwhile is required to stand unchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from slipring.fhir.service import Desk, Resource
from slipring.printing.pdf import NoPrinter, pdf_of

from slipring_report.rendering.frame import Signed, frame_of
from slipring_report.rendering.html import PDF, rendering
from slipring_report.rendering.release import sealed_rendering
from slipring_report.resources import written
from slipring_report.signatures.gathering import Gathered


async def rendered(
    parts: Gathered, digest: str, signatures: Sequence[Signed], desk: Desk, *, standing: Sequence[str] = ()
) -> bytes:
    """The report as it reads, from what is signed, as an HTML page."""
    composition = parts.composition.resource if parts.composition else None
    frame = await frame_of(parts.report.resource, signatures, desk, standing=standing)
    return rendering(parts.report.resource, composition, [each.resource for each in parts.results], digest, frame)


async def released(
    parts: Gathered,
    reference: str,
    digest: str,
    hashes: Sequence[str],
    signatures: Sequence[Signed],
    desk: Desk,
    *,
    standing: Sequence[str] = (),
) -> Resource:
    """The members of a released report; `reference`: under which it stands, `hashes`: of the JWSs in their order."""
    issued = written(desk.now)
    page = await rendered(parts, digest, signatures, desk, standing=standing)
    forms = [sealed_rendering(page, reference, digest, hashes, desk, issued)]
    if desk.settings.pdf:
        try:
            pdf = await asyncio.to_thread(pdf_of, page.decode())
        except NoPrinter:
            pdf = b""  # this machine has no Pango: the page is printed by a browser
        if pdf:
            forms.append(sealed_rendering(pdf, reference, digest, hashes, desk, issued, content_type=PDF))
    return {"issued": issued, "presentedForm": forms}
