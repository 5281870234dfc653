"""One signature at the terminal: the report is read, questioned wordings are stood for, patient and exam are confirmed."""

from __future__ import annotations

import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer

from slipring.client.answers import Finding, Signed, SigningInput
from slipring.client.refusal import Refused, Unanswered
from slipring.client.reports import Reports
from slipring.client.signing_keys import SigningKey, signer_of
from slipring.runtime.clock import utc_now
from slipring.signatory.showing import about, as_text, finding_lines, verified_lines
from slipring.signing.policy import purpose

_RELEASED = ("final", "amended", "corrected", "appended")


class NotSigned(Exception):
    """The signer, or what he was told, ended it; the message says why, in both languages."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """How the signer is asked: everything goes to the error stream, the result alone to the output."""

    yes: bool = False  # nobody is asked: what would have to be asked ends it
    answers: Mapping[str, str] | None = None  # reasons given beforehand, by the key of the finding
    in_browser: bool = False

    def say(self, *lines: str) -> None:
        """Show lines."""
        for line in lines:
            typer.echo(line, err=True)

    def confirmed(self, question: str) -> bool:
        """Whether the signer says yes; no is what an empty answer says."""
        return self.yes or typer.confirm(question, err=True)


def signed_at_terminal(reports: Reports, key: SigningKey, report: str, role: str, terminal: Terminal) -> Signed:
    """Show what is signed, have open findings answered, confirm, sign. NotSigned when the signer ends it."""
    asked = reports.signing_input(report, role)
    with TemporaryDirectory(prefix="slipring-") as folder:  # gone when it is signed: it holds the patient's report
        if terminal.in_browser:
            page = Path(folder) / "report.html"
            page.write_bytes(asked.rendering)
            webbrowser.open(page.as_uri())
        terminal.say(as_text(asked.rendering), "")
        for one in asked.told:
            terminal.say(*finding_lines(one))
        _answered(reports, report, signer_of(key.chain_pem), terminal)
        _confirmed(reports, asked, terminal)
        try:
            return _handed_in(reports, asked, key)
        except Refused as refused:
            if refused.max_age is None or terminal.yes:
                raise
            terminal.say(*(str(one) for one in refused.issues))
            if not terminal.confirmed("已重新登录？再次提交签名？ Signed in anew? Hand the signature in again?"):
                raise
            return _handed_in(reports, asked, key)


def _handed_in(reports: Reports, asked: SigningInput, key: SigningKey) -> Signed:
    """NotSigned when it is not known whether the signature was taken: that is said, never guessed."""
    try:
        return reports.sign(asked, key, utc_now())
    except (Unanswered, KeyboardInterrupt) as problem:
        raise NotSigned(
            f"{problem} 签名已送出，是否收到不明：请再运行一次；已在案的签名不会重复。"
            " The signature was on its way, whether it was taken is not known: run the command again, nothing is signed twice."
        ) from problem


def _answered(reports: Reports, report: str, signer: str, terminal: Terminal) -> None:
    found = reports.checked(report)
    for one in found:
        terminal.say(*finding_lines(one))
    for one in (each for each in found if each.open):
        reports.answered(report, one.key, _reason(one, terminal), signer)


def _reason(one: Finding, terminal: Terminal) -> str:
    given = (terminal.answers or {}).get(one.key, "").strip()
    if given:
        return given
    if terminal.yes:
        raise NotSigned(
            f"此处须更正，或以 --answer {one.key}=理由 说明。 To be corrected, or stood for by --answer {one.key}=REASON: [{one.rule}]"
        )
    asked = (
        f"{one.section} “{one.words}”: 文字无误的理由（留空则不签） Why it is right as it stands (empty: do not sign)"
    )
    reason = str(typer.prompt(asked, default="", show_default=False, err=True)).strip()
    if not reason:
        raise NotSigned("未签名：请先更正报告。 Not signed: correct the report first.")
    return reason


def _confirmed(reports: Reports, asked: SigningInput, terminal: Terminal) -> None:
    """Patient and exam are those in the bytes that are signed, not those of a list."""
    whose, declared = about(reports, asked.subject, asked.request), purpose(asked.role)
    terminal.say(
        "",
        f"患者 Patient: {whose.patient}",
        f"检查 Exam:    {whose.exam}",
        f"SHA-256:      {asked.sha256}",
    )
    if not terminal.confirmed(f"确认无误并签名（{declared.zh}）？ All right, and signed ({declared.en})?"):
        raise NotSigned("未签名。 Not signed.")


def result(reports: Reports, signed: Signed) -> dict[str, Any]:
    """Where the report stands now, every signature examined again by the server."""
    status, found = reports.status(signed.report), reports.verified(signed.report)
    return {
        "report": signed.report,
        "sha256": signed.sha256,
        "status": status,
        "released": status in _RELEASED,
        "valid": found.valid,
        "signatures": [dict(one) for one in found.signatures],
        "lines": verified_lines(found),
    }
