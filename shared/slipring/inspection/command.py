"""`slipring clauses check`: how each clause of the accreditation standard stands, from the records of all services."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from slipring.client.clauses import Clauses
from slipring.client.refusal import Refused, Unanswered
from slipring.client.token import BearerFile, MissingKeys, NoToken
from slipring.identity.client import backend_auth, server_url
from slipring.inspection.asking import period_asked, signs, stop
from slipring.inspection.sample_command import sample
from slipring.inspection.told import lines, tree
from slipring.runtime.terminal import of_terminal

clauses_commands = typer.Typer(
    name="clauses", help="The clauses of CNAS-CL02-A011:2018 and how they stand.", no_args_is_help=True
)
_NOT_MET = 1


@clauses_commands.callback()
def _clauses() -> None:
    """A group of its own, whatever else comes to it."""


clauses_commands.command()(sample)


@clauses_commands.command()
def check(
    clause: Annotated[list[str] | None, typer.Option(help="A clause, e.g. 5.7.1; repeat. All when left out.")] = None,
    period: Annotated[
        str, typer.Option(help="2026-Q3, 2026-07, 2026 or 2026-01-01..2026-03-31; the current quarter when left out.")
    ] = "",
    at: Annotated[str, typer.Option(help="As the records stood then, e.g. 2026-06-30T23:59:59+08:00.")] = "",
    language: Annotated[str, typer.Option(help="zh or en; that of the terminal when left out.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    client: Annotated[str | None, typer.Option(help="Client name; its key lies in the data directory.")] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="A file with an access token, for who signed in elsewhere.", exists=True)
    ] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Where the client's key lies.")] = None,
    url: Annotated[str | None, typer.Option(help="The front; default SLIPRING_URL or http://127.0.0.1:8100.")] = None,
) -> None:
    """Ask all services how each clause stands. Exit code 0: none is broken; 1: one is not met; 2: could not ask."""
    if language not in ("", "zh", "en"):
        raise typer.BadParameter("must be zh or en", param_hint="--language")
    wanted = period_asked(period)
    try:
        auth = BearerFile(token_file) if token_file else backend_auth(url, client, None, data_dir)
        with Clauses.at(address := server_url(url), auth) as clauses:
            told = clauses.checked(clause or (), wanted, at, tell=signs())
    except (Refused, Unanswered, NoToken, MissingKeys) as problem:
        stop(str(problem))
    if as_json:
        typer.echo(json.dumps(tree(told, address), ensure_ascii=False))
    else:
        for line in lines(told, language or of_terminal(), address):
            typer.echo(line)
    if any(row.verdict == "not-met" for row in told.rows):
        raise typer.Exit(_NOT_MET)
