"""The command line: what it prints, and what it says when something is missing."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from slipring.cli import app
from typer.testing import CliRunner

RUN = CliRunner()


@pytest.fixture
def nowhere() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_a_token_without_a_key_says_where_it_looked_and_what_to_do(tmp_path: Path) -> None:
    ran = RUN.invoke(app, ["token", "--data-dir", str(tmp_path)])
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "--data-dir" in ran.stderr
    assert "demo-his" in ran.stderr


def test_a_token_without_a_server_says_how_to_start_one(tmp_path: Path, nowhere: str) -> None:
    from slipring.identity.keys import key_file, new_client_key, write_key_file

    write_key_file(key_file(tmp_path, "demo-his"), new_client_key())
    ran = RUN.invoke(app, ["token", "--data-dir", str(tmp_path), "--url", nowhere])
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "slipring serve" in ran.stderr


def test_loading_without_a_server_is_one_sentence(tmp_path: Path, nowhere: str) -> None:
    from slipring.identity.keys import key_file, new_client_key, write_key_file

    write_key_file(key_file(tmp_path, "demo-his"), new_client_key())
    (tmp_path / "p.json").write_text('{"resourceType": "Patient"}')
    ran = RUN.invoke(app, ["load", str(tmp_path / "p.json"), "--data-dir", str(tmp_path), "--url", nowhere])
    assert ran.exit_code == 1
    assert "does not answer" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--all"),
        (["order", "--all"], "--all"),
        (["archive"], "no service"),
        (["--all", "--demo", "--host", "0.0.0.0"], "loopback"),
    ],
)
def test_serve_refuses_what_cannot_be_meant(arguments: list[str], said: str) -> None:
    ran = RUN.invoke(app, ["serve", *arguments])
    assert ran.exit_code == 1
    assert said in ran.stderr


def test_a_client_is_not_registered_with_a_scope_that_is_none(tmp_path: Path) -> None:
    ran = RUN.invoke(app, ["client", "add", "ward", "--scope", "everything", "--data-dir", str(tmp_path)])
    assert ran.exit_code == 1
    assert "everything" in ran.stderr
