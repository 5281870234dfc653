"""What a release adds to a report: the time of issue and the rendering under the service's seal."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.service import Desk, Resource

from slipring_report.rendering.html import rendering
from slipring_report.rendering.release import sealed_rendering
from slipring_report.resources import written
from slipring_report.signatures.gathering import Gathered


def rendered(parts: Gathered, digest: str) -> bytes:
    """The report as it reads, from what is signed."""
    composition = parts.composition.resource if parts.composition else None
    return rendering(parts.report.resource, composition, [each.resource for each in parts.results], digest)


def released(parts: Gathered, reference: str, digest: str, signatures: Sequence[str], desk: Desk) -> Resource:
    """The members of a released report; `reference`: under which it stands, `signatures`: the hashes of the JWSs."""
    issued = written(desk.now)
    seal = sealed_rendering(rendered(parts, digest), reference, digest, signatures, desk, issued)
    return {"issued": issued, "presentedForm": [seal]}
