"""`slipring clauses sample`: the cases that an assessor is shown, drawn by a seed, with their evidence in one sealed file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import httpx
import typer

from slipring.client.refusal import Refused, Unanswered
from slipring.client.sample import Sample, exported
from slipring.client.sample import keep as keep_it
from slipring.client.token import BearerFile, MissingKeys, NoToken
from slipring.client.wire import Wire
from slipring.identity.client import backend_auth, server_url
from slipring.inspection.asking import period_asked, signs, stop
from slipring.runtime.terminal import of_terminal
from slipring.signing.proof_file import judged_file

FILE = "assessors-sample.proof"
_TIMEOUT_S = 300.0
_WORDS = {
    "zh": (
        "平扫 {plain} 例，增强 {enhanced} 例，记录 {records} 条",
        "未满足：{what}",
        "文件：{path}（用 slipring verify 核验）",
    ),
    "en": (
        "{plain} plain and {enhanced} enhanced cases, {records} records",
        "not filled: {what}",
        "file: {path} (check it by slipring verify)",
    ),
}


def sample(
    seed: Annotated[str, typer.Option(help="1 to 100 characters; the same seed draws the same cases.")],
    out: Annotated[Path, typer.Option(help="A new file, or a folder: then the records are laid out beside it, too.")],
    period: Annotated[
        str, typer.Option(help="2026-Q3, 2026-07, 2026 or 2026-01-01..2026-03-31; the current quarter when left out.")
    ] = "",
    at: Annotated[str, typer.Option(help="Draw from the exams as they stood then.")] = "",
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep it in the store, too, for an account with the role assessor.")
    ] = False,
    language: Annotated[str, typer.Option(help="zh or en; that of the terminal when left out.")] = "",
    client: Annotated[str | None, typer.Option(help="Client name; its key lies in the data directory.")] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="A file with an access token, for who signed in elsewhere.", exists=True)
    ] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Where the client's key lies.")] = None,
    url: Annotated[str | None, typer.Option(help="The front; default SLIPRING_URL or http://127.0.0.1:8100.")] = None,
) -> None:
    """Draw a sample by the quotas of Annex A and export it, patients masked. Exit code 0: whole; 1: a quota is not filled; 2: no answer."""
    if language not in ("", "zh", "en"):
        raise typer.BadParameter("must be zh or en", param_hint="--language")
    wanted, folder = period_asked(period), out.is_dir() or not out.suffix
    path = out / FILE if folder else out
    if path.exists():
        raise typer.BadParameter(f"{path} is there already", param_hint="--out")
    try:
        auth = BearerFile(token_file) if token_file else backend_auth(url, client, None, data_dir)
        with httpx.Client(base_url=server_url(url).rstrip("/"), auth=auth, timeout=_TIMEOUT_S) as http:
            found = exported(http, seed, wanted, at, tell=signs())
            kept = keep_it(found, Wire(http)) if keep else ()
    except (Refused, Unanswered, NoToken, MissingKeys) as problem:
        stop(str(problem))
    path.parent.mkdir(parents=True, exist_ok=True)
    _written(path, found.content)
    if folder:
        for name, content in judged_file(found.content)[0].members.items():
            _written(out / name, content)
    for line in _lines(found, path, language or of_terminal()):
        typer.echo(line)
    for name in kept:
        typer.echo(f"DocumentReference/{name}")
    if found.lacking:
        raise typer.Exit(1)


def _written(path: Path, content: bytes) -> None:
    """The whole file or none."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def _lines(found: Sample, path: Path, language: str) -> list[str]:
    counts, lacking, file = _WORDS[language]
    said = {"plain": found.cases.get("plain", 0), "enhanced": found.cases.get("enhanced", 0), "records": found.records}
    words = [zh if language == "zh" else en for zh, en in found.lacking]
    return [counts.format(**said), *(lacking.format(what=one) for one in words), file.format(path=path)]
