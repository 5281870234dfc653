"""`slipring codes`: load a table of local exam codes as a draft, show it, approve it as a second person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import typer
from slipring.identity.client import NoToken, api_client, server_url

from slipring_order import catalogue
from slipring_order.codes.concept_map import DEFAULT_URL, Difference, as_draft, difference, next_version
from slipring_order.codes.table import read_table
from slipring_order.offer.mapping import EXAM_SYSTEM

codes = typer.Typer(
    name="codes",
    help="The hospital's own exam codes: load a table, approve it as a second person.",
    no_args_is_help=True,
)
Client = Annotated[str | None, typer.Option(help="Registered client, or SLIPRING_CLIENT.")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the client's key lies.")]
Server = Annotated[str | None, typer.Option("--server", help="The front; default SLIPRING_URL.")]
_FHIR = {"Content-Type": "application/fhir+json"}
_SHOWN = 20


@codes.command("load")
def load(
    file: Annotated[Path, typer.Argument(help="CSV with the columns code, display, target (or 代码, 名称, 目录代码).")],
    system: Annotated[str, typer.Option(help="The URI that your ServiceRequest.code.coding.system carries.")],
    url: Annotated[str, typer.Option(help="The map's canonical URL, one for each table.")] = DEFAULT_URL,
    encoding: Annotated[str, typer.Option(help="Only when it cannot be told: utf-8, gb18030, ...")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and compare, send nothing.")] = False,
    client: Client = None,
    data_dir: DataDir = None,
    server: Server = None,
) -> None:
    """Check every line, show what changes, and send the map as a draft."""
    table = read_table(file.read_bytes(), encoding)
    for problem in table.problems:
        typer.echo(f"{file.name}: {problem}", err=True)
    if table.problems:
        _stop(f"{len(table.problems)} problems, nothing was sent. 共 {len(table.problems)} 处问题，未提交。")
    typer.echo(f"{file.name}: {len(table.rows)} codes ({table.encoding})")
    with _connected(client, data_dir, server) as http:
        known = _found(http, f"ConceptMap?url={url}")
        current = next((found for found in known if found["status"] == "active"), None)
        draft = as_draft(table.rows, system, url, next_version(known))
        change = difference(current, draft)
        _show(change)
        if not change:
            typer.echo("Nothing differs from the current map. 与现行对照一致，无需提交。")
            return
        if dry_run:
            return
        made = _checked(http.post("/fhir/ConceptMap", json=draft, headers=_FHIR))
    typer.echo(
        f"ConceptMap/{made['id']} is a draft (version {made['version']}). A second person approves it with:\n"
        f"  slipring codes approve {made['id']} --client NAME\n已存为草稿，须由第二人批准后生效。"
    )


@codes.command("approve")
def approve(
    id: Annotated[str, typer.Argument(help="The id of the draft ConceptMap.")],
    client: Client = None,
    data_dir: DataDir = None,
    server: Server = None,
) -> None:
    """Make a draft current, as another person than the one who loaded it; the map before it retires."""
    if not id.strip():
        _stop("Name the draft: slipring codes list. 请指明草稿的 id。")
    with _connected(client, data_dir, server) as http:
        answer = _asked(http, f"ConceptMap/{id}")
        draft = _checked(answer)
        changed = {**draft, "status": "active"}
        made = _checked(
            http.put(f"/fhir/ConceptMap/{id}", json=changed, headers={**_FHIR, "If-Match": answer.headers["etag"]})
        )
    typer.echo(f"ConceptMap/{made['id']} version {made['version']} is active. 对照表已生效。")


@codes.command("list")
def show(
    client: Client = None,
    data_dir: DataDir = None,
    server: Server = None,
    catalogue_codes: Annotated[
        bool, typer.Option("--catalogue", help="The exams that a code may be mapped to.")
    ] = False,
) -> None:
    """The maps of exam codes, or the catalogue they lead to."""
    if catalogue_codes:
        for exam in catalogue.own_codes().values():
            typer.echo(f"{exam.code}  {exam.zh}  {exam.en}")
        return
    with _connected(client, data_dir, server) as http:
        for found in _found(http, f"ConceptMap?target-system={EXAM_SYSTEM}"):
            typer.echo(f"{found['id']}  {found['status']}  {found.get('version', '-')}  {found.get('url', '-')}")


def _show(change: Difference) -> None:
    for word, lines in (
        ("added 新增", change.added),
        ("changed 更改", change.changed),
        ("removed 删除", change.removed),
    ):
        if lines:
            typer.echo(f"{word}: {len(lines)}")
            for line in lines[:_SHOWN]:
                typer.echo(f"  {line}")
            if len(lines) > _SHOWN:
                typer.echo(f"  ... {len(lines) - _SHOWN} more")


def _connected(client: str | None, data_dir: Path | None, server: str | None) -> httpx.Client:
    try:
        return api_client(server, client, data_dir=data_dir)
    except NoToken as problem:
        _stop(str(problem))


def _found(http: httpx.Client, query: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in _checked(_asked(http, query)).get("entry", [])]


def _asked(http: httpx.Client, query: str) -> httpx.Response:
    try:
        return http.get(f"/fhir/{query}")
    except httpx.TransportError:
        _stop(f"No server answers at {server_url()} (SLIPRING_URL). 服务器无应答。")
    except NoToken as problem:
        _stop(str(problem))


def _checked(answer: httpx.Response) -> dict[str, Any]:
    """The resource, or the server's own words about what is wrong."""
    tree: dict[str, Any] = answer.json()
    if not answer.is_success:
        _say_why(tree)
        _stop(f"The server answered {answer.status_code}. 服务器拒绝。")
    return tree


def _say_why(tree: dict[str, Any]) -> None:
    for issue in tree.get("issue", []):
        place = " ".join(issue.get("expression", []))
        typer.echo(f"{issue.get('details', {}).get('text', '')} {issue.get('diagnostics', '')} {place}", err=True)


def _stop(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)
