"""The `slipring` command: every room brings its own commands, this file only hangs them up."""

from __future__ import annotations

import gc
import importlib
import socket
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from slipring.client.token import MissingKeys
from slipring.front.command import load
from slipring.identity.command import client_commands, keys_commands, token
from slipring.identity.demo import WrongMode, check_loopback
from slipring.runtime.hindrance import Hindered
from slipring.runtime.postgres import PostgresUnavailable, data_directory
from slipring.runtime.settings import BadSettings

NAMES = ("front", "order", "consent", "report", "critical")
_PORTS = dict(zip(NAMES, range(8100, 8105), strict=True))

app = typer.Typer(
    name="slipring",
    help="slipring 滑环: requests, consent, signed reports and critical findings of a CT department, on FHIR R4.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.command()
def serve(
    name: Annotated[str | None, typer.Argument(help=f"One of {', '.join(NAMES)}.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Front and all services in one process.")] = False,
    demo: Annotated[
        bool, typer.Option("--demo", envvar="SLIPRING_DEMO", help="Random keys, loopback only, synthetic people.")
    ] = False,
    host: Annotated[str, typer.Option(envvar="SLIPRING_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Default 8100 for --all and front, 8101-8104 for services.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Keys and the embedded database.")] = None,
) -> None:
    """Serve the front, one service, or everything."""
    if everything == (name is not None):
        _stop("Say either --all or one name: " + ", ".join(NAMES))
    if name is not None and name not in NAMES:
        _stop(f"There is no service {name!r}; there are " + ", ".join(NAMES))
    names = list(NAMES) if name is None else [name]
    try:
        check_loopback(demo, host)
        _check_free(host, port or _PORTS[names[0]])
        gc.disable()  # nothing that is loaded is thrown away again; `serve` turns it on when it answers
        # Loaded only here: the other commands need no web server.
        serving = importlib.import_module("slipring.process")
        serving.serve(names, demo=demo, host=host, port=port or _PORTS[names[0]], data_dir=data_directory(data_dir))
    except (WrongMode, MissingKeys, BadSettings, PostgresUnavailable, Hindered) as problem:
        _stop(str(problem))


app.command("token")(token)
app.command("load")(load)
app.add_typer(client_commands, name="client")
app.add_typer(keys_commands, name="keys")


def _hang_up_the_rest(wanted: Sequence[str]) -> None:
    """Commands of the services and the demo come by entry points, so that nothing here imports them.

    They are loaded only when one of them may be meant: `slipring token` in a script should not wait for them.
    """
    from slipring.signing.command import certificate
    from slipring.signing.verify_command import verify

    if wanted and wanted[0] == "certificate":
        from slipring.signatory.certificate_command import ask, collect

        certificate.command()(ask)
        certificate.command()(collect)
    app.add_typer(certificate, name="certificate")
    app.command("verify")(verify)
    if wanted and wanted[0] in ("report", "--help"):
        from slipring.qc.report.command import report_commands

        app.add_typer(report_commands, name="report")
    if wanted and wanted[0] in ("qc", "--help"):
        from slipring.qc.ctdi_command import qc_commands

        app.add_typer(qc_commands, name="qc")
    if wanted and wanted[0] in ("clauses", "--help"):
        from slipring.inspection.command import clauses_commands

        app.add_typer(clauses_commands, name="clauses")
    if wanted and wanted[0] in ("sign", "--help"):
        from slipring.signatory.sign_command import sign

        app.command("sign")(sign)
    if wanted and wanted[0] in ("client", "--help"):
        from slipring.identity.people.app_command import add_app

        client_commands.command("add-app")(add_app)
    if wanted and wanted[0] in (
        "serve",
        "token",
        "load",
        "client",
        "keys",
        "certificate",
        "report",
        "qc",
        "sign",
        "verify",
        "clauses",
    ):
        return
    from slipring.identity.people.command import account_commands

    app.add_typer(account_commands, name="account")
    if wanted and wanted[0] == "account":
        return
    from slipring.upkeep.audit.command import audit
    from slipring.upkeep.command import backup, restore_backup
    from slipring.upkeep.doctor.command import doctor
    from slipring.upkeep.purge.command import purge

    app.command("backup")(backup)
    app.command("restore")(restore_backup)
    app.command("doctor")(doctor)
    app.add_typer(purge, name="purge")
    app.add_typer(audit, name="audit")
    if wanted and wanted[0] in ("backup", "restore", "doctor", "purge", "audit"):
        return
    # A command that cannot be loaded must not take the others with it.
    for entry in entry_points(group="slipring.commands"):
        try:
            command = entry.load()
        except ImportError as problem:
            typer.echo(f"slipring: the command {entry.name} is not available: {problem}", err=True)
            continue
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=entry.name)
        else:
            app.command(entry.name)(command)


def _check_free(host: str, port: int) -> None:
    """Say at once that the port is taken: the database need not start for that."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            _stop(f"Port {port} of {host} cannot be used ({problem.strerror}). Choose another with --port.")


def _stop(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


def main() -> None:
    """The console script."""
    _hang_up_the_rest(sys.argv[1:])
    app()


if __name__ == "__main__":
    main()
