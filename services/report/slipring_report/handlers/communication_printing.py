"""`Communication/[id]/$print`: the documented communication of a critical finding as a sheet of its own (LOINC 73568-8)."""

from __future__ import annotations

import asyncio
import base64
from zoneinfo import ZoneInfo

from slipring.clauses.critical_findings import critical_finding
from slipring.fhir.outcome import refusal, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Stored
from slipring.printing.pdf import INSTALL, NoPrinter, pdf_of
from slipring.signing.proof import proof_reason

from slipring_report.flags.sealing import faults
from slipring_report.reading import code_of, reference_of
from slipring_report.rendering.frame import called, frame_of, local
from slipring_report.rendering.html import HTML, PDF, sheet
from slipring_report.vocabulary import CASE_STATE, CRITICAL_FINDING, FINDING_LEVEL

SECTION = "73568-8"
_PAGE = "text/html"
_TO_THE_SECOND = "%Y-%m-%d %H:%M:%S"


async def print_asked(call: Call, desk: Desk) -> Changes:
    """The sheet as HTML or PDF in a Binary; nothing is stored, and the report's own rendering stays as released."""
    told, wanted = _communication(call), str(call.value("format") or _PAGE)
    if wanted not in (_PAGE, PDF):
        raise unprocessable(
            f"It is printed as {_PAGE} or {PDF}.",
            f"可打印为 {_PAGE} 或 {PDF}。",
            at=call.at("format"),
            code="not-supported",
            detail="report.print-format",
        )
    page = await _sheet(told.resource, desk)
    answer = {
        "resourceType": "Binary",
        "contentType": PDF if wanted == PDF else HTML,
        "securityContext": {"reference": told.reference},
        "data": base64.b64encode(await _as_pdf(page, call) if wanted == PDF else page).decode(),
    }
    return Changes(answer=answer)


async def _sheet(told: Resource, desk: Desk) -> bytes:
    about = [reference_of(one) for one in told.get("about", [])]
    held = {one: await desk.read(one) for one in about}
    report = next((one for one in held.values() if one and one.resource["resourceType"] == "DiagnosticReport"), None)
    flag = next((one for one in held.values() if one and one.resource["resourceType"] == "Observation"), None)
    frame = await frame_of(report.resource if report else {"subject": told.get("subject", {})}, [], desk)
    zone, finding = ZoneInfo(desk.settings.time_zone), flag.resource if flag else {}
    entry = critical_finding(code_of(finding.get("code"), CRITICAL_FINDING))
    against = [proof_reason(one) for one in await faults(told, desk)]
    rows = (
        ("finding", f"{entry.zh} {entry.en}" if entry else str(finding.get("code", {}).get("text", ""))),
        ("level", _level(finding)),
        ("recognised", local(finding.get("effectiveDateTime"), zone, _TO_THE_SECOND)),
        ("recognised-by", await called(reference_of(next(iter(finding.get("performer", [])), None)), desk)),
        ("received-by", await called(reference_of(next(iter(told.get("recipient", [])), None)), desk)),
        ("received", local(told.get("received"), zone, _TO_THE_SECOND)),
        ("state", code_of(next(iter(told.get("reasonCode", [])), None), CASE_STATE)),
        ("report", f"{report.reference} ({report.resource['status']})" if report else ""),
        ("seal", " ".join(f"{one.zh} {one.en}" for one in against) or "有效 stands"),
    )
    return sheet(SECTION, frame, rows)


async def _as_pdf(page: bytes, call: Call) -> bytes:
    try:
        return await asyncio.to_thread(pdf_of, page.decode())
    except NoPrinter:
        raise refusal(
            406,
            "not-supported",
            f"This server cannot make PDFs; ask for {_PAGE} and print that, or install: {INSTALL}",
            f"本服务器不能生成 PDF；请改用 {_PAGE} 打印，或安装：{INSTALL}",
            at=call.at("format"),
            detail="report.no-pdf",
        ) from None


def _communication(call: Call) -> Stored:
    told = call.target
    if told is None or code_of(told.resource.get("topic"), "http://loinc.org") != SECTION:
        raise unprocessable(
            "This is printed of the documented communication of a critical finding (topic 73568-8).",
            "只有危急值通报记录（topic 73568-8）可以打印。",
            at="Communication.topic",
            detail="report.no-critical-communication",
        )
    return told


def _level(finding: Resource) -> str:
    concepts = (one.get("valueCodeableConcept") for one in finding.get("component", []))
    return next((code for one in concepts if (code := code_of(one, FINDING_LEVEL))), "")
