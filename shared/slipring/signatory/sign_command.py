"""`slipring sign`: list what awaits the signer, show it, and sign it with a key of his own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from slipring.client.answers import Awaiting
from slipring.client.refusal import Distrusted, Refused, Unanswered
from slipring.client.reports import Reports
from slipring.client.signing_keys import KeyRefused, SigningKey, signer_of
from slipring.client.token import BearerFile, NoToken
from slipring.identity.client import backend_auth, server_url
from slipring.signatory.one_signature import NotSigned, Terminal, result, signed_at_terminal
from slipring.signatory.own_key import opened
from slipring.signatory.showing import about, reading_line, refusal_lines, refusal_tree, waiting_line
from slipring.signing.policy import ROLES

_SIGNED_UNSEEN = 3  # exit code
_INTERRUPTED = "已中断，未签名；已写下的说明仍在案。 Interrupted: nothing was signed. Reasons that were given for wordings stay on record."


def sign(
    chain: Annotated[Path, typer.Option(help="Your certificate chain (PEM).", exists=True, dir_okay=False)],
    key: Annotated[
        Path | None, typer.Option(help="Your private key (PEM): encrypted, or plain with mode 0600.")
    ] = None,
    pkcs11: Annotated[Path | None, typer.Option(help="The PKCS#11 module of your token, instead of --key.")] = None,
    label: Annotated[str, typer.Option(help="The label of your key on the token.")] = "",
    token: Annotated[str, typer.Option(help="The label of the token, where there are several.")] = "",
    secret_file: Annotated[
        Path | None, typer.Option(help="A file (0600) with passphrase or PIN; asked for otherwise.", exists=True)
    ] = None,
    report: Annotated[str, typer.Option(help="Sign this report: its id, or DiagnosticReport/<id>.")] = "",
    role: Annotated[str, typer.Option(help="author, reviewer or chief; the one whose turn it is when left out.")] = "",
    only_list: Annotated[bool, typer.Option("--list", help="List what awaits you, and sign nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; needs --report.")] = False,
    answer: Annotated[
        list[str] | None, typer.Option(help="KEY=REASON: stand for a wording that a check questions; repeat.")
    ] = None,
    in_browser: Annotated[bool, typer.Option("--open", help="Show the report in a browser, too.")] = False,
    proof: Annotated[Path | None, typer.Option(help="Write the proof into this file once it is signed.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The list, the result or the refusal as JSON.")] = False,
    client: Annotated[str | None, typer.Option(help="Client name; its key lies in the data directory.")] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="A file with an access token, for who signed in elsewhere.", exists=True)
    ] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Where the client's key lies.")] = None,
    url: Annotated[str | None, typer.Option(help="The front; default SLIPRING_URL or http://127.0.0.1:8100.")] = None,
) -> None:
    """Sign a report with a key that never leaves you.

    Exit code 0: signed (or listed); 1: refused, or not signed; each reason is shown with its code and place; 3: signed, but
    what became of it could not be read.
    """
    if role and role not in ROLES:
        raise typer.BadParameter("must be author, reviewer or chief", param_hint="--role")
    if yes and not report:
        raise typer.BadParameter("needs --report", param_hint="--yes")
    terminal = Terminal(yes, _answers(answer), in_browser)
    try:
        signer = signer_of(chain_pem := chain.read_bytes())
        if not signer:
            raise KeyRefused("证书未指明医师。 The certificate names no practitioner.")
        auth = BearerFile(token_file) if token_file else backend_auth(url, client, None, data_dir)
        with Reports.at(server_url(url), auth) as reports:
            if only_list:
                _listed(reports, signer, as_json)
                return
            chosen = _named(report) or _chosen(reports, signer, terminal)
            with opened(
                key=key, chain_pem=chain_pem, module=pkcs11, label=label, token=token, secret=secret_file
            ) as held:
                _signed(reports, held, chosen, role, terminal, proof, as_json)
    except Refused as refused:
        _end(refusal_lines(refused), refusal_tree(refused), as_json)
    except (KeyRefused, NotSigned, Distrusted, Unanswered, NoToken) as problem:
        _end([str(problem)], {"refused": 0, "issues": [{"en": str(problem)}]}, as_json)
    except (KeyboardInterrupt, typer.Abort):
        _end([_INTERRUPTED], {"refused": 0, "issues": [{"en": _INTERRUPTED}]}, as_json)


def _listed(reports: Reports, signer: str, as_json: bool) -> None:
    found, readings = reports.awaiting(signer), reports.readings(signer)
    if as_json:
        trees = [
            {"report": one.report, "request": one.request, "role": one.role, "signedBy": list(one.signed_by)}
            for one in found
        ]
        typer.echo(json.dumps(trees, ensure_ascii=False))
        return
    _show(reports, found)
    begun = {one.request for one in found}
    for reading in readings:
        if reading.request not in begun:
            typer.echo(reading_line(reading))


def _show(reports: Reports, found: Sequence[Awaiting]) -> None:
    if not found:
        typer.echo("没有等待您签名的报告。 No report awaits your signature.")
    for number, one in enumerate(found, 1):
        typer.echo(waiting_line(number, one, about(reports, one.subject, one.request)))


def _chosen(reports: Reports, signer: str, terminal: Terminal) -> str:
    found = reports.awaiting(signer)
    _show(reports, found)
    if not found:
        raise NotSigned("未签名。 Not signed.")
    asked: int = typer.prompt("签哪一份？ Which one?", type=int, default=1 if len(found) == 1 else None, err=True)
    if not 1 <= asked <= len(found):
        raise NotSigned(f"没有第 {asked} 份。 There is no number {asked}.")
    return found[asked - 1].report


def _signed(
    reports: Reports, key: SigningKey, report: str, role: str, terminal: Terminal, proof: Path | None, as_json: bool
) -> None:
    signed = signed_at_terminal(reports, key, report, role, terminal)
    try:
        told = result(reports, signed)
        if proof:
            proof.write_bytes(reports.proof(signed.report))
    except (Refused, Unanswered, NoToken, OSError, KeyboardInterrupt) as problem:
        words = f"已签名，但未能读取结果。 It is signed, but what became of it could not be read: {problem}"
        tree = {"report": signed.report, "sha256": signed.sha256, "issues": [{"en": words}]}
        _end([f"{signed.report}: {words}"], tree, as_json, code=_SIGNED_UNSEEN)
    lines: list[str] = told.pop("lines")
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        for line in (*lines, f"{signed.report}: {told['status']}  {'已发布 released' if told['released'] else ''}"):
            typer.echo(line.rstrip())


def _named(report: str) -> str:
    return f"DiagnosticReport/{report.removeprefix('DiagnosticReport/')}" if report else ""


def _answers(given: Sequence[str] | None) -> dict[str, str]:
    pairs = [one.partition("=") for one in given or ()]
    if wrong := next((key for key, sign, reason in pairs if not (sign and reason.strip())), ""):
        raise typer.BadParameter(f"{wrong}: KEY=REASON", param_hint="--answer")
    return {key: reason for key, _, reason in pairs}


def _end(lines: Sequence[str], tree: dict[str, Any], as_json: bool, *, code: int = 1) -> NoReturn:
    if as_json:
        typer.echo(json.dumps(tree, ensure_ascii=False))
    else:
        for line in lines:
            typer.echo(line, err=True)
    raise typer.Exit(code)
