"""In which format a sheet is asked for, and the sheet in it: HTML, or PDF where this machine can make one."""

from __future__ import annotations

import asyncio

from slipring.fhir.outcome import refusal, unprocessable
from slipring.fhir.service import Call
from slipring.printing.pdf import INSTALL, NoPrinter, pdf_of

HTML, PDF = "text/html", "application/pdf"


def format_asked(call: Call) -> str:
    """The format; HTML when nothing is said."""
    wanted = str(call.value("format") or HTML)
    if wanted not in (HTML, PDF):
        raise unprocessable(
            f"It is printed as {HTML} or {PDF}.",
            f"可打印为 {HTML} 或 {PDF}。",
            at=call.at("format"),
            code="not-supported",
            detail="consent.print-format",
        )
    return wanted


def media_type(wanted: str) -> str:
    """The format as it is answered."""
    return f"{HTML}; charset=utf-8" if wanted == HTML else PDF


async def printed(html: str, wanted: str, call: Call) -> bytes:
    """The page in the format asked for; 406 where this machine cannot make PDFs."""
    if wanted == HTML:
        return html.encode()
    try:
        return await asyncio.to_thread(pdf_of, html)
    except NoPrinter:
        raise refusal(
            406,
            "not-supported",
            f"This server cannot make PDFs; ask for {HTML} and print that, or install: {INSTALL}",
            f"本服务器不能生成 PDF；请改用 {HTML} 打印，或安装：{INSTALL}",
            at=call.at("format"),
            detail="consent.no-pdf",
        ) from None
