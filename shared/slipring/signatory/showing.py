"""What a signer sees at the terminal: words in both languages, nothing that steers the terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from slipring.client.answers import Awaiting, Finding, Reading, Verified
from slipring.client.refusal import Refused
from slipring.client.reports import Reports
from slipring.pages.blocks import blocks
from slipring.signing.policy import purpose

Tree = dict[str, Any]
_MARKS = {"h1": "# ", "h2": "## ", "h3": "### ", "li": "- ", "dd": "  "}
_NOT_TOLD = (403, 404, 410)


@dataclass(frozen=True, slots=True)
class About:
    """Whose report it is, and of which exam, as a signer names them."""

    patient: str
    exam: str


def plain(text: str) -> str:
    """A text without control and direction characters: a report must not write over what a signer reads."""
    return "".join(one if one in "\n\t" or unicodedata.category(one) not in ("Cc", "Cf") else "�" for one in text)


def as_text(rendering: bytes) -> str:
    """A rendering (HTML) as lines of text."""
    found = blocks(rendering.decode("utf-8", "replace"))
    return plain("\n".join(f"{_MARKS.get(tag, '')}{words}" for tag, words in found))


def about(reports: Reports, subject: str, request: str) -> About:
    """Patient and exam by name and number; by reference alone where the signer may not read them."""
    patient, asked = _read(reports, subject), _read(reports, request)
    name: Tree = next(iter(patient.get("name", [])), {})
    told = [name.get("text") or "".join([name.get("family", ""), *name.get("given", [])]), patient.get("birthDate", "")]
    told += [one.get("value", "") for one in patient.get("identifier", [])[:1]]
    coding: Tree = next(iter(asked.get("code", {}).get("coding", [])), {})
    exam = [asked.get("code", {}).get("text") or coding.get("display") or coding.get("code", "")]
    exam += [one["value"] for one in asked.get("identifier", []) if _is_imaging_number(one)]
    return About(_joined(told, subject), _joined(exam, request))


def _read(reports: Reports, reference: str) -> Tree:
    try:
        return reports.read(reference) if reference else {}
    except Refused as refused:
        if refused.status not in _NOT_TOLD:
            raise
        return {}


def _joined(told: Sequence[Any], reference: str) -> str:
    return plain("  ".join(str(one) for one in (*told, reference) if one))


def _is_imaging_number(identifier: Tree) -> bool:
    return any(coding.get("code") == "ACSN" for coding in identifier.get("type", {}).get("coding", []))


def waiting_line(number: int, one: Awaiting, who: About) -> str:
    """One line of what awaits the signer."""
    declared = purpose(one.role)
    signed = f"  已签 signed by {', '.join(one.signed_by)}" if one.signed_by else ""
    return f"{number:3}  {one.report}  {declared.zh} {one.role}  {who.patient} | {who.exam}{signed}"


def reading_line(one: Reading) -> str:
    """One exam that is in hand and not reported yet."""
    return f"     {one.task}  {one.request}  {one.clock_zh} {one.clock_en}: {one.minutes_left} min ({one.clock_state})"


def finding_lines(one: Finding) -> list[str]:
    """A finding with its place and, where somebody stands for the wording, his answer."""
    lines = [f"  ! {plain(one.zh)} {plain(one.en)} [{one.rule}]"]
    if one.key:
        lines.append(f"      {one.section} {one.start}-{one.end}: “{plain(one.words)}”")
    if one.answer:
        lines.append(f"      已说明 answered: {plain(one.answer)}")
    return lines


def verified_lines(found: Verified) -> list[str]:
    """Each signature as the server examined it again."""
    mark = {True: "ok  ", False: "FAIL"}
    lines = [
        f"{mark[bool(one['valid'])]} {one['who']}  {one['alg']}  {one['when']}  {' '.join(one['reasons'])}".rstrip()
        for one in found.signatures
    ]
    lines += [f"{mark[bool(one['valid'])]} seal 系统印  {one['when']}" for one in found.seals]
    return lines


def refusal_lines(refused: Refused) -> list[str]:
    """Every reason of a refusal, with its code and the element."""
    lines = [plain(str(each)) for each in refused.issues]
    if refused.max_age is not None:
        lines.append(
            f"请在 {refused.max_age} 秒内重新登录后再签。 Sign in anew and sign within {refused.max_age} seconds."
        )
    return lines


def refusal_tree(refused: Refused) -> Tree:
    """The same for a script."""
    return {
        "refused": refused.status,
        "issues": [
            {"code": one.code, "zh": one.zh, "en": one.en, "at": one.at, "severity": one.severity}
            for one in refused.issues
        ],
    }
