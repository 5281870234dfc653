"""A decision as the form holds it, brought to consent: signed here, or as it was signed on paper."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from slipring.bedside.consent_form import Signed
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError

_AGAIN_SECONDS, _TRIES = 0.25, 20  # five seconds in all: a copy arrives in less than one where everything runs
_UNHEARD = "consent.signer"  # how a signer is refused of whom consent has not heard


async def decided(hand: Hand, signed: Signed, *, heard: bool) -> None:
    """`Consent/$sign`, or the Consent of a paper; a refusal is raised.

    `heard`: consent knows who signs. Of a relative who was just named it follows a copy from order; until that has arrived
    the signer is refused, which stores nothing, and is asked again before anybody must press the button a second time.
    """
    for left in reversed(range(_TRIES)):
        try:
            await _brought(hand, signed)
            return
        except FhirError as refused:
            unheard = any(issue.detail == _UNHEARD for issue in refused.issues)
            if heard or not unheard or not left:
                raise
        await asyncio.sleep(_AGAIN_SECONDS)


async def _brought(hand: Hand, signed: Signed) -> None:
    if signed.on_paper_because:
        await hand.made(signed.on_paper())
        return
    assent = signed.assent()
    given: Sequence[Tree] = [
        {"name": "consent", "resource": signed.consent()},
        {"name": "signature", "valueSignature": signed.signature()},
        {"name": "clinician", "valueSignature": signed.explained()},
        *([{"name": "assent", "valueSignature": assent}] if assent else []),
    ]
    await hand.called("Consent/$sign", given)
