"""The proof of a report taken along as a file: what a receiver has verified at `/verify`, or by `slipring verify`."""

from __future__ import annotations

import base64

from starlette.responses import Response

from slipring.department.road import Hand
from slipring.signing.proof import MEDIA_TYPE


async def proof_taken(hand: Hand, report: str) -> Response:
    """The file that `$proof` gives in this person's name; a refusal is raised as it was said."""
    answer = await hand.called(f"DiagnosticReport/{report}/$proof", [])
    headers = {"Content-Disposition": f'attachment; filename="{report}.proof"', "Cache-Control": "no-store"}
    return Response(base64.b64decode(answer["data"]), media_type=MEDIA_TYPE, headers=headers)
