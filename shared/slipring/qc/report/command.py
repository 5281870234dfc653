"""`slipring report check`: examine the texts of reports, one JSON record a line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from slipring.qc.report.checking import checked
from slipring.qc.report.records import RecordRefused, as_record, read_record

report_commands = typer.Typer(name="report", help="Texts of reports: check them.", no_args_is_help=True)
_TELL_EVERY = 1000
_BAD_LINES = 1


@report_commands.callback()
def _report() -> None:
    """Texts of reports."""


@report_commands.command()
def check(
    file: Annotated[str, typer.Argument(help="JSON lines, UTF-8; - reads standard input.")],
) -> None:
    """Print the critical findings that each report states in words, and the faults in its text.

    One line in, one line out, in order. A line that cannot be read is refused on standard error with its number and
    member; the others are answered, and the command ends with code 1.
    """
    if file == "-":
        refused = _answered(sys.stdin.buffer)
    else:
        try:
            with Path(file).open("rb") as opened:
                refused = _answered(opened)
        except OSError as problem:
            typer.echo(f"slipring: {file} cannot be read ({problem.strerror}).", err=True)
            raise typer.Exit(2) from problem
    if refused:
        typer.echo(f"slipring: {refused} line(s) refused.", err=True)
        raise typer.Exit(_BAD_LINES)


def _answered(source: BinaryIO) -> int:
    """Answer each line as it comes; how many were refused."""
    refused = 0
    for number, line in _lines(source):
        try:
            identity, report = read_record(line.decode("utf-8"))
        except UnicodeDecodeError:
            refused += 1
            typer.echo(f"line {number}: record: not UTF-8", err=True)
            continue
        except RecordRefused as problem:
            refused += 1
            typer.echo(f"line {number}: {problem}", err=True)
            continue
        typer.echo(as_record(identity, checked(report)))
    return refused


def _lines(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(source, 1):
        plain = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if plain.strip():
            yield number, plain
        if number % _TELL_EVERY == 0:
            typer.echo(f"slipring: {number} lines read", err=True)
