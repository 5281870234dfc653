"""The service's receipt for each signature it took: sealed with the time at which the signer's key is judged."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.service import Desk
from slipring.signing.jws import Judged
from slipring.signing.receipt import RECEIPT, receipt

from slipring_report.resources import written
from slipring_report.signatures.facts import Signature


def sealed_receipt(report: str, form_sha256: str, judged: Judged, desk: Desk) -> str:
    """The seal over a signature that is taken now."""
    told = receipt(report, form_sha256, judged.sha256, judged.signer, judged.role, written(desk.now))
    return desk.seals.seal(told, RECEIPT)


async def receipt_faults(each: Signature, report: str, desk: Desk) -> Sequence[str]:
    """Why the seal of a signature on record does not stand over it, as codes; none for a record without one."""
    if not each.seal:
        return ()
    told = receipt(report, each.form_sha256, each.sha256, each.who, each.role, each.recorded)
    return [f"seal-{fault}" for fault in await desk.seals.faults(each.seal, told, RECEIPT)]
