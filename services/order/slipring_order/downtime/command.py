"""`slipring downtime-kit`: reserve imaging numbers and write forms and worklist as one page to print."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from slipring.identity.client import NoToken, api_client, server_url


def downtime_kit(
    out: Annotated[Path, typer.Argument(help="where the page goes")] = Path("downtime-kit.html"),
    count: Annotated[int, typer.Option(help="how many forms, each with a reserved imaging number")] = 20,
) -> None:
    """Reserve imaging numbers for a time without the system and write the page to print (SLIPRING_URL says where)."""
    call = {"resourceType": "Parameters", "parameter": [{"name": "count", "valueInteger": count}]}
    try:
        with api_client(os.environ.get("SLIPRING_URL")) as server:
            answer = server.post("/fhir/Task/$downtime-kit", json=call)
    except httpx.TransportError:
        typer.echo(f"No server answers at {server_url()} (SLIPRING_URL). 服务器无应答。", err=True)
        raise typer.Exit(1) from None
    except NoToken as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None
    if answer.status_code != httpx.codes.OK:
        typer.echo(f"Not made: HTTP {answer.status_code} {_why(answer)}", err=True)
        raise typer.Exit(1)
    found = {one["name"]: one for one in answer.json()["parameter"]}
    page = base64.b64decode(found["kit"]["valueAttachment"]["data"])
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # it names patients
        file.write(page)
    numbers = [one["value"] for one in found["return"]["resource"]["identifier"]]
    typer.echo(f"{out}: {numbers[0]} .. {numbers[-1]} ({len(numbers)})")


def _why(answer: httpx.Response) -> str:
    try:
        issues: list[dict[str, Any]] = answer.json().get("issue", [])
    except ValueError:
        return ""
    return " ".join(str(one.get("details", {}).get("text", "")) for one in issues)
