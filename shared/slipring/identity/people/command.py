"""`slipring account`: the people who sign in here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer

from slipring.identity.people.accounts import all_accounts
from slipring.identity.people.administering import Administration
from slipring.identity.people.roles import the_roles
from slipring.identity.terminal import act_at_front, stop
from slipring.runtime.clock import utc_now
from slipring.runtime.postgres import data_directory
from slipring.runtime.settings import Settings

account_commands = typer.Typer(help="Accounts of people.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The account's name.")]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where the embedded database lies.")]
By = Annotated[str, typer.Option("--by", help="Who orders it, for the audit row.")]


@account_commands.command("add")
def add(
    name: Name,
    practitioner: Annotated[str, typer.Option(help="The person, Practitioner/<id>, known to the staff register.")],
    role: Annotated[list[str], typer.Option("--role", help="A role; several: repeat.")],
    until: Annotated[str, typer.Option(help="The last day, e.g. 2026-12-31; needed for an assessor.")] = "",
    issuer: Annotated[str, typer.Option(help="The hospital's OIDC issuer, when the person signs in there.")] = "",
    subject: Annotated[str, typer.Option(help="The person's subject (sub) at that issuer.")] = "",
    by: By = "command-line",
    data_dir: DataDir = None,
) -> None:
    """Add an account and print its first password, which must be changed at the first sign-in."""
    ends_at = _end_of(until)
    if bool(issuer) != bool(subject):
        stop("--issuer and --subject belong together.")

    async def act(administration: Administration) -> str:
        return await administration.add(
            name, practitioner, role, ends_at=ends_at, issuer=issuer, subject=subject, by=by
        )

    typer.echo(_run(data_dir, act) or f"{name}: signs in at {issuer}")


@account_commands.command("list")
def list_accounts(data_dir: DataDir = None) -> None:
    """Every account with its person, state and roles."""

    async def act(administration: Administration) -> list[str]:
        accounts = await all_accounts(administration.connection, administration.schema)
        ends = [one.ends_at.date().isoformat() if one.ends_at else "-" for one in accounts]
        return [
            f"{one.name}  {one.practitioner}  {one.state}  {until}  {' '.join(one.roles)}"
            for one, until in zip(accounts, ends, strict=True)
        ]

    for line in _run(data_dir, act):
        typer.echo(line)


@account_commands.command("lock")
def lock(name: Name, by: By = "command-line", data_dir: DataDir = None) -> None:
    """Let nobody in with this account until it is unlocked; every session and token of it ends."""
    _run(data_dir, lambda administration: administration.lock(name, by=by))
    typer.echo(f"{name}: locked")


@account_commands.command("unlock")
def unlock(name: Name, by: By = "command-line", data_dir: DataDir = None) -> None:
    """Take off an administrator's lock, and that of too many wrong passwords."""
    _run(data_dir, lambda administration: administration.unlock(name, by=by))
    typer.echo(f"{name}: unlocked")


@account_commands.command("reset")
def reset(name: Name, by: By = "command-line", data_dir: DataDir = None) -> None:
    """Give a new first password and end every session."""
    typer.echo(_run(data_dir, lambda administration: administration.reset(name, by=by)))


@account_commands.command("end")
def end(name: Name, by: By = "command-line", data_dir: DataDir = None) -> None:
    """End an account for good; what it did stays in the audit."""
    _run(data_dir, lambda administration: administration.end(name, by=by))
    typer.echo(f"{name}: ended")


@account_commands.command("roles")
def roles(
    name: Name,
    role: Annotated[list[str], typer.Option("--role", help="Every role it shall have; several: repeat.")],
    by: By = "command-line",
    data_dir: DataDir = None,
) -> None:
    """Give an account other roles; they count from the next request on."""
    _run(data_dir, lambda administration: administration.give_roles(name, role, by=by))
    typer.echo(f"{name}: {' '.join(role)}")


@account_commands.command("known-roles")
def known_roles() -> None:
    """The roles there are, with the confidence of each; R and U wait for the department's word."""
    table = the_roles()
    for one in table.roles.values():
        kind = "person" if one.person else "client"
        typer.echo(f"{one.code}  {one.name[0]} / {one.name[1]}  {kind}  {one.confidence}")
    typer.echo(f"version {table.version}, {table.dated}; {table.source}")


def _end_of(day: str) -> datetime | None:
    """The end of this day in the department's zone."""
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), time.max, tzinfo=Settings.from_env().zone)
    except ValueError:
        stop("--until is a day such as 2026-12-31.")


def _run(data_dir: Path | None, act: Callable[[Administration], Awaitable[Any]]) -> Any:
    async def inside(connection: asyncpg.Connection, schema: str) -> Any:
        async with connection.transaction():
            return await act(Administration(connection, schema, utc_now()))

    return act_at_front(data_directory(data_dir), inside)
