"""`slipring load FILE...`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import httpx
import typer

from slipring.client.token import MissingKeys
from slipring.front.load import LoadStopped, Summary, load_files
from slipring.front.parts import Unreadable
from slipring.identity.client import NoToken, api_client
from slipring.identity.scopes import LOADING


def load(
    files: Annotated[list[Path], typer.Argument(help="FHIR R4 JSON: Bundles or single resources, also .bz2 and .gz.")],
    client: Annotated[
        str | None, typer.Option(help="Client with the scopes system/*.cruds and slipring/import; or SLIPRING_CLIENT.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Where the client's key lies.")] = None,
    url: Annotated[str | None, typer.Option(help="The front; default SLIPRING_URL or http://127.0.0.1:8100.")] = None,
) -> None:
    """Load Bundles: split by owner, references resolved, original ids kept, loading twice changes nothing."""
    try:
        with api_client(url, client, LOADING, data_dir=data_dir, timeout_seconds=300) as http:
            summary = load_files(files, http, _progress)
    except httpx.TransportError as problem:
        _stop(f"The server does not answer ({type(problem).__name__}). Start it, or set SLIPRING_URL.")
    except LoadStopped as stopped:
        if stopped.summary is not None and stopped.summary.left:
            _tell(stopped.summary)
            typer.echo("Load the same files again: what is stored already stays as it is.", err=True)
        _stop(str(stopped))
    except (MissingKeys, NoToken, Unreadable) as problem:
        _stop(str(problem))
    _tell(summary)
    if summary.refused:
        raise typer.Exit(1)


def _tell(summary: Summary) -> None:
    _ended()
    for line in summary.lines():
        typer.echo(line)
    for reason in summary.reasons:
        typer.echo(reason, err=True)


def _progress(line: str) -> None:
    # On a terminal one line that moves; in a log nothing that repeats.
    if sys.stderr.isatty():
        typer.echo(f"\r{line:<60}", err=True, nl=False)
    elif "/" not in line:
        typer.echo(line, err=True)


def _ended() -> None:
    if sys.stderr.isatty():
        typer.echo("", err=True)


def _stop(message: str) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(1)
