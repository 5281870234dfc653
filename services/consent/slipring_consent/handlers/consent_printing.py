"""`Consent/[id]/$print`: the consent on paper, as HTML or PDF, in a Binary; nothing is stored."""

from __future__ import annotations

import base64

from slipring.fhir.outcome import invalid
from slipring.fhir.service import Call, Changes, Desk

from slipring_consent.consenting.printed import page, paper
from slipring_consent.consenting.standing import standing
from slipring_consent.handlers.consent_verifying import in_words
from slipring_consent.handlers.on_paper import PDF, format_asked, media_type, printed


async def print_asked(call: Call, desk: Desk) -> Changes:
    """The page, or the PDF of the page; 406 where this machine cannot make PDFs."""
    if call.target is None:
        raise invalid(
            "This operation is called on one consent.", "该操作须针对一份知情同意调用。", detail="consent.one-consent"
        )
    wanted = format_asked(call)
    found = await standing(call.target, desk)
    shown = await paper(call.target, found, in_words(found), desk)
    content = await printed(page(shown, paged=wanted == PDF), wanted, call)
    answer = {
        "resourceType": "Binary",
        "contentType": media_type(wanted),
        "securityContext": {"reference": call.target.reference},
        "data": base64.b64encode(content).decode(),
    }
    return Changes(answer=answer)
