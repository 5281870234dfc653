"""`slipring clauses check` asks the front as any client, in batches that all stand for one moment."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slipring.clauses.register import register
from slipring.inspection.command import clauses_commands
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
