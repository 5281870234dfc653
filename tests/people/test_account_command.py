"""`slipring account`: what an operator does on the command line counts in the running front at once."""

from __future__ import annotations

import asyncio

import pytest
from slipring.cli import app
from slipring.identity.people.command import account_commands
from typer.testing import CliRunner, Result

from tests.people.conftest import PASSWORD, Staff, send, sign_in


async def run(staff: Staff, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setenv("SLIPRING_SCHEMA_PREFIX", staff.schema.removesuffix("front"))
    where = () if arguments[0] == "known-roles" else ("--data-dir", str(staff.department.data_dir))
    return await asyncio.to_thread(CliRunner().invoke, account_commands, [*arguments, *where])


async def test_an_operator_adds_resets_locks_and_ends_an_account(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    person = staff.people["nurse"]
    added = await run(staff, monkeypatch, "add", "cli-1", "--practitioner", person, "--role", "ct-nurse")
    assert added.exit_code == 0, added.output
    first = added.output.splitlines()[-1]
    async with staff.browser() as browser:
        await sign_in(browser, "cli-1", first)
        changed = await send(browser, "/auth/password", "/auth/password", old=first, new=PASSWORD, repeated=PASSWORD)
        assert changed.status_code == 303
        assert (await run(staff, monkeypatch, "lock", "cli-1")).exit_code == 0
        assert (await browser.get("/auth/me")).status_code == 303
        assert (await run(staff, monkeypatch, "unlock", "cli-1")).exit_code == 0
        assert (await run(staff, monkeypatch, "roles", "cli-1", "--role", "receptionist")).exit_code == 0
        assert (await sign_in(browser, "cli-1", PASSWORD)).status_code == 303
        assert "Receptionist" in (await browser.get("/auth/me")).text
        second = (await run(staff, monkeypatch, "reset", "cli-1")).output.splitlines()[-1]
        assert second != first
        assert (await sign_in(browser, "cli-1", PASSWORD)).status_code == 401
    listed = (await run(staff, monkeypatch, "list")).output
    assert f"cli-1  {person}  active  -  receptionist" in listed
    assert (await run(staff, monkeypatch, "end", "cli-1")).exit_code == 0
    assert "ended for good" in (await run(staff, monkeypatch, "unlock", "cli-1")).output
    done = [what for what, _, _ in await staff.audits("cli-1") if what.startswith(("account", "role", "password"))]
    assert done == [
        "account-add",
        "password-change",
        "account-lock",
        "account-unlock",
        "role-change",
        "password-reset",
        "account-end",
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--practitioner", "Practitioner/o-nobody", "--role", "ct-nurse"], "staff register"),
        (["--practitioner", "Patient/o-1", "--role", "ct-nurse"], "exactly one person"),
        (["--practitioner", "PERSON", "--role", "cook"], "Not a role"),
        (["--practitioner", "PERSON", "--role", "assessor"], "--until"),
        (["--practitioner", "PERSON", "--role", "assessor", "--until", "soon"], "2026-12-31"),
        (["--practitioner", "PERSON", "--role", "ct-nurse", "--issuer", "https://idp.example"], "belong together"),
    ],
)
async def test_what_is_no_account_is_said_in_a_sentence(
    staff: Staff, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    filled = [staff.people["nurse"] if word == "PERSON" else word for word in arguments]
    refused = await run(staff, monkeypatch, "add", "cli-2", *filled)
    assert refused.exit_code == 1
    assert says in refused.output


async def test_the_roles_there_are_can_be_listed(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = await run(staff, monkeypatch, "known-roles")
    assert "ct-nurse  CT 护士 / CT nurse  person  R" in listed.output


def test_the_command_hangs_on_slipring() -> None:
    import subprocess
    import sys
    from pathlib import Path

    slipring = Path(sys.executable).with_name("slipring")
    done = subprocess.run([slipring, "account", "known-roles"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0 and "radiologist-e" in done.stdout
    assert app.info.name == "slipring"
