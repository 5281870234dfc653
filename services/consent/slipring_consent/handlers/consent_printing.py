"""`Consent/[id]/$print`: the consent on paper, as HTML or PDF, in a Binary; nothing is stored."""

from __future__ import annotations

import asyncio
import base64

from slipring.fhir.outcome import invalid, refusal, unprocessable
from slipring.fhir.service import Call, Changes, Desk
from slipring.printing.pdf import INSTALL, NoPrinter, pdf_of

from slipring_consent.consenting.printed import page, paper
from slipring_consent.consenting.standing import standing
from slipring_consent.handlers.consent_verifying import in_words

_HTML, _PDF = "text/html", "application/pdf"


async def print_asked(call: Call, desk: Desk) -> Changes:
    """The page, or the PDF of the page; 406 where this machine cannot make PDFs."""
    if call.target is None:
        raise invalid(
            "This operation is called on one consent.", "该操作须针对一份知情同意调用。", detail="consent.one-consent"
        )
    wanted = str(call.value("format") or _HTML)
    if wanted not in (_HTML, _PDF):
        raise unprocessable(
            f"It is printed as {_HTML} or {_PDF}.",
            f"可打印为 {_HTML} 或 {_PDF}。",
            at=call.at("format"),
            code="not-supported",
            detail="consent.print-format",
        )
    found = await standing(call.target, desk)
    shown = await paper(call.target, found, in_words(found), desk)
    content = page(shown).encode() if wanted == _HTML else await _pdf(page(shown, paged=True), call)
    answer = {
        "resourceType": "Binary",
        "contentType": f"{_HTML}; charset=utf-8" if wanted == _HTML else _PDF,
        "securityContext": {"reference": call.target.reference},
        "data": base64.b64encode(content).decode(),
    }
    return Changes(answer=answer)


async def _pdf(html: str, call: Call) -> bytes:
    try:
        return await asyncio.to_thread(pdf_of, html)
    except NoPrinter:
        raise refusal(
            406,
            "not-supported",
            f"This server cannot make PDFs; ask for {_HTML} and print that, or install: {INSTALL}",
            f"本服务器不能生成 PDF；请改用 {_HTML} 打印，或安装：{INSTALL}",
            at=call.at("format"),
            detail="consent.no-pdf",
        ) from None
