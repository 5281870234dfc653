"""`slipring clauses check` asks the front as any client, in batches that all stand for one moment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from slipring.clauses.register import register
from slipring.inspection.command import clauses_commands
from slipring.signing.verify_command import verify
from typer.testing import CliRunner

from tests.support.server import Server


def check(served: Server, *arguments: str, url: str = "") -> Any:
    """The command against the served department."""
    where = ["--url", url or served.url, "--data-dir", str(served.data_dir)]
    return CliRunner().invoke(clauses_commands, ["check", *where, *arguments])


@pytest.mark.clause("5.6.2.2")
def test_every_row_is_told_and_one_that_is_not_met_is_the_exit_code(served: Server) -> None:
    told = check(served, "--json")
    assert told.exit_code == 1, told.output
    tree = json.loads(told.stdout)
    assert [one["id"] for one in tree["clauses"]] == [row.id for row in register().clauses]
    phantom = next(one for one in tree["clauses"] if one["id"] == "5.6.2.2")
    assert phantom["verdict"] == "not-met" and phantom["checks"][0]["exceptions"][0]["kind"] == "absent"

    table = check(served, "--clause", "5.6.2.2", "--language", "zh", "--at", tree["at"])
    assert table.exit_code == 1 and "不符合" in table.stdout and "缺失" in table.stdout
    again = json.loads(check(served, "--clause", "5.6.2.2", "--at", tree["at"], "--json").stdout)
    assert again["clauses"] == [phantom], "the same moment, the same verdict and hash"


def test_what_breaks_no_clause_ends_well(served: Server) -> None:
    told = check(served, "--clause", "4.2", "--clause", "5.1.8", "--language", "en", "--period", "2001-Q1")
    assert told.exit_code == 0, told.output
    assert "procedure" in told.stdout and "no data" in told.stdout and "2001-01-01..2001-03-31" in told.stdout


def test_what_could_not_be_asked_is_told_apart(served: Server) -> None:
    unknown = check(served, "--clause", "9.9")
    assert unknown.exit_code == 2 and "kernel.no-such-clause" in unknown.stderr
    assert check(served, url="http://127.0.0.1:9").exit_code == 2
    assert check(served, "--period", "2026-Q7").exit_code == 2


@pytest.mark.clause("A.1")
def test_a_sample_of_what_there_is_says_what_it_lacks_and_verifies(served: Server, tmp_path: Path) -> None:
    where = ["--url", served.url, "--data-dir", str(served.data_dir)]
    given = ["sample", "--seed", "2001", "--period", "2001-Q1", "--language", "en", *where]
    told = CliRunner().invoke(clauses_commands, [*given, "--out", str(tmp_path / "x.proof")])
    assert told.exit_code == 1 and "0 of 25 cases" in told.stdout, told.output
    root = served.data_dir / "signing" / "root.pem"
    checked = CliRunner().invoke(app_of(verify), [str(tmp_path / "x.proof"), "--trust", str(root)])
    assert checked.exit_code == 0 and "0 cases" in checked.stdout, checked.output
    again = CliRunner().invoke(clauses_commands, [*given, "--out", str(tmp_path / "x.proof")])
    assert again.exit_code == 2 and "there already" in again.output
    folder = CliRunner().invoke(clauses_commands, [*given, "--out", str(tmp_path / "folder")])
    assert folder.exit_code == 1 and json.loads((tmp_path / "folder" / "draw.json").read_text("utf-8"))["cases"] == []


def app_of(command: Any) -> typer.Typer:
    """One command by itself."""
    app = typer.Typer()
    app.command()(command)
    return app
