"""docs/integration.md is run as it stands: each `sh` block in order, its output held against the `text` block after it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from slipring.runtime.postgres import stop
from slipring_demo.receivers import Receiver

from tests.architecture.tree import ROOT
from tests.support.backport import told as said_by
from tests.support.server import Server

PAGE = ROOT / "docs" / "integration.md"
_BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "---- end of block"

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "jq", "openssl"))), reason="the page needs bash, curl, jq and openssl"
)


@dataclass(frozen=True)
class Step:
    """One block of commands with the lines it is said to print."""

    line: int
    commands: str
    expected: list[str]


def steps(text: str) -> list[Step]:
    found: list[Step] = []
    for match in _BLOCK.finditer(text):
        if match[1] == "sh":
            found.append(Step(text[: match.start()].count("\n") + 2, match[2], []))
        else:
            found[-1].expected.extend(match[2].splitlines())
    return found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "data", environment={"SLIPRING_LOG_LEVEL": "warning"})
    made.start(seconds=120)
    yield made
    made.stop()
    stop(made.data_dir)


def test_every_command_of_the_page_does_what_the_page_says(server: Server, tmp_path: Path) -> None:
    hook, topics = Receiver("his"), Receiver("topics")
    page = steps(PAGE.read_text(encoding="utf-8"))
    assert len(page) > 10
    script = "set -uo pipefail\n" + "".join(f"{step.commands}\necho '{_END}'\n" for step in page)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("SLIPRING_", "LC_", "LANG"))}
    told = {
        "SLIPRING_URL": server.url,
        "SLIPRING_DATA_DIR": str(server.data_dir),
        "HOOK": hook.url,
        "TOPIC_HOOK": topics.url,
        "LC_ALL": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}:{clean['PATH']}",
    }
    work = tmp_path / "work"
    work.mkdir()
    ran = subprocess.run(
        ["bash", "-c", script],
        env={**clean, **told},
        cwd=work,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    printed = ran.stdout.split(f"{_END}\n")
    for step, output in zip(page, printed, strict=False):
        wanted = "\n".join(re.escape(line).replace(r"\.\.\.", ".*") for line in step.expected)
        assert re.fullmatch(wanted, output.rstrip("\n")), (
            f"integration.md line {step.line}: expected {step.expected}, got:\n{output}\n{ran.stderr[-1500:]}"
        )
    assert ran.returncode == 0, ran.stderr[-1500:]
    assert hook.wait(1), "the subscription of the page told nobody"
    assert hook.headers[0]["slipring-event-number"] == "1"
    assert {"idempotency-key", "slipring-event", "slipring-repeat"} <= hook.headers[0].keys()
    hook.close()
    assert topics.wait(2), "the topic subscription of the page told nobody"
    assert [said_by(bundle)["type"] for bundle in topics.received[:2]] == ["handshake", "event-notification"]
    assert said_by(topics.received[1])["events"][0]["event-number"] == "1"
    topics.close()


def test_a_page_that_promises_something_else_would_be_noticed() -> None:
    text = "```sh\necho one\n```\n\n```text\ntwo ...\n```\n"
    [step] = steps(text)
    assert (step.line, step.expected) == (2, ["two ..."])
    assert not re.fullmatch(re.escape(step.expected[0]).replace(r"\.\.\.", ".*"), "one")


def test_the_chinese_page_shows_only_commands_of_the_english_one() -> None:
    english = PAGE.read_text(encoding="utf-8")
    chinese = (ROOT / "docs" / "integration.zh.md").read_text(encoding="utf-8")
    for step in steps(chinese):
        for line in step.commands.splitlines():
            assert line in english, line
