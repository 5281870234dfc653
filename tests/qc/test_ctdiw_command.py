"""`slipring qc ctdiw`: what chamber readings come to, and against which limit they stand."""

import json

import pytest
from slipring.qc.ctdi_command import qc_commands
from typer.testing import CliRunner, Result

READINGS = ["--centre", "30", "--edge", "33", "--edge", "34", "--edge", "32", "--edge", "33", "--collimation", "10"]


def run(*more: str) -> Result:
    return CliRunner().invoke(qc_commands, ["ctdiw", *READINGS, *more])


@pytest.mark.clause("5.6.2.3")
@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        (["--baseline", "28"], "pass"),  # 14.3 %
        (["--baseline", "27.8"], "fail"),  # 15.1 %
        ([], "no-baseline"),
        (["--kind", "status"], "pass"),
        (["--kind", "status", "--factor", "1.6"], "fail"),  # 51.2 mGy
        (["--kind", "status", "--manufacturer", "26.6"], "fail"),  # 20.3 %
        (["--kind", "status", "--manufacturer", "27"], "pass"),
        (["--kind", "acceptance"], "no-nominal"),
        (["--kind", "acceptance", "--manufacturer", "36", "--phantom", "body"], "pass"),
        (
            ["--kind", "acceptance", "--manufacturer", "36", "--edition", "gb-17589-2011"],
            "warn",
        ),  # 11.1 % of 10, recalled
    ],
)
def test_readings_of_five_holes_give_ctdiw_and_a_verdict(more: list[str], outcome: str) -> None:
    told = json.loads(run(*more).stdout)
    (verdict,) = told["verdicts"]
    assert verdict["outcome"] == outcome
    if "--factor" not in more:
        assert told["ctdiw_mgy"] == pytest.approx(32) and told["ctdi100_edges_mgy"] == [33, 34, 32, 33]


@pytest.mark.parametrize(
    "more",
    [
        ["--edge", "33"],
        ["--collimation", "0"],
        ["--centre", "nan"],
        ["--factor", "10"],
        ["--phantom", "foot"],
        ["--kind", "x"],
    ],
)
def test_what_gives_no_ctdiw_is_told_with_code_2(more: list[str]) -> None:
    done = run(*more)
    assert done.exit_code == 2 and "slipring:" in done.stderr and done.stdout == ""
