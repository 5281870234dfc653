"""A folder that holds something else than a key and its request is told as that, before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipring.signatory.certificate_command import ask, collect
from typer import Typer
from typer.testing import CliRunner

COMMANDS = Typer()
COMMANDS.command("ask")(ask)
COMMANDS.command("collect")(collect)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", "-----BEGIN CERTIFICATE REQUEST-----\n姓名".encode()])
@pytest.mark.parametrize("command", ["ask", "collect"])
def test_what_is_no_request_is_sent_to_nobody(tmp_path: Path, command: str, content: bytes) -> None:
    (folder := tmp_path / "me").mkdir()
    (folder / "key.pem").write_text("a key")
    (folder / "request.pem").write_bytes(content)
    ended = run(tmp_path, command, folder)
    assert ended == (1, f"{folder / 'request.pem'} is no request for a certificate (PKCS #10).")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (folder := tmp_path / "me").write_text("a file")
    code, words = run(tmp_path, "ask", folder, "--plain")
    assert code == 1 and str(folder) in words


def run(home: Path, command: str, folder: Path, *more: str) -> tuple[int, str]:
    (token := home / "token").write_text("a-token")
    token.chmod(0o600)
    given = [command, "--out", str(folder), "--token-file", str(token), "--url", "http://127.0.0.1:9", *more]
    ended = CliRunner().invoke(COMMANDS, given)
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended.exit_code, ended.stderr.strip().rpartition("。 ")[2]
