"""`$proof`: the report with its signatures, seals and certificates in one file that is verified without us."""

from __future__ import annotations

import base64

from slipring.fhir.outcome import conflict
from slipring.fhir.service import Call, Changes, Desk
from slipring.signing import report_proof as names
from slipring.signing.proof import MEDIA_TYPE, packed
from slipring.signing.revocation import as_pem

from slipring_report.certificates.lists import own_lists
from slipring_report.export.members import members
from slipring_report.handlers.asked import target
from slipring_report.lifecycle import SIGNED
from slipring_report.signatures.gathering import gathered, signatures_of
from slipring_report.signatures.trusting import revocations, trusted


async def proof_asked(call: Call, desk: Desk) -> Changes:
    """The proof of the report as it stands now; 409 for one that nobody has signed here."""
    report = target(call)
    standing = [each for each in await signatures_of(report.reference, desk) if each.stands]
    if not standing or report.resource["status"] not in SIGNED:
        raise conflict(
            "Nobody has signed this report here as it stands; there is nothing to prove.",
            "该报告的当前内容尚无本系统的签名，无可证明。",
            at="DiagnosticReport.status",
            detail="report.nothing-to-prove",
        )
    parts = await gathered(report, desk)
    keys = await desk.seals.keys()
    roots = trusted(desk)
    pem = {
        names.ROOTS: roots,
        # What was taken back here is on no list in a file: who verifies elsewhere gets it signed by our authority.
        names.REVOKED: as_pem((await revocations(desk)).lists) + await own_lists(desk),
        names.KEY_CERTIFICATES: desk.settings.key_certificates(keys, desk.now),
    }
    content = packed(
        names.REPORT, report.reference, desk.now, members(parts, parts.form(), standing, keys, pem), desk.seals.seal
    )
    answer = {
        "resourceType": "Binary",
        "contentType": MEDIA_TYPE,
        "securityContext": {"reference": report.reference},
        "data": base64.b64encode(content).decode(),
    }
    return Changes(answer=answer)
