"""The house keeps its own rules: who may import whom, names, lengths, lists, and no real people."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from slipring.rules.rulebook import Rule

from tests.architecture.tree import ROOT, files

SERVICES = ("order", "consent", "report", "critical")
FORBIDDEN = {"utils", "util", "common", "helpers", "helper", "misc", "base", "core", "manager", "managers"}
LONGEST = 250
_LONG_FILES = tomllib.loads((Path(__file__).parent / "long_files.toml").read_text(encoding="utf-8"))
_IDENTITY_NUMBER = re.compile(r"(?<![0-9A-Za-z.])[1-9]\d{5}(?:18|19|20)\d{2}[01]\d[0-3]\d\d{3}[\dXx](?![0-9A-Za-z])")


def test_the_import_contracts_hold() -> None:
    """`pyproject.toml` says each contract in a sentence; lint-imports reads them."""
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_no_file_and_no_folder_has_a_name_that_says_nothing() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in files()
        if FORBIDDEN & {word for part in path.relative_to(ROOT).parts for word in re.split(r"[_.\-]", part.lower())}
    ]
    assert silent == []


def test_a_file_of_more_than_250_lines_has_a_reason() -> None:
    lines = {path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines()) for path in files(".py")}
    assert {name: length for name, length in lines.items() if length > LONGEST and name not in _LONG_FILES} == {}
    # A little play, so that a line taken out of a file does not have to be taken out of the list as well.
    short = [name for name in _LONG_FILES if lines.get(name, 0) < LONGEST - 30]
    assert short == [], "these are short now: take them off the list"
    assert all(len(reason) > 20 for reason in _LONG_FILES.values())


def test_no_number_in_the_repository_could_be_somebodys_identity_card() -> None:
    found = []
    for path in files():
        if path.suffix in {".gz", ".png", ".dcm", ".lock"}:
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        found += [f"{path.relative_to(ROOT)}: {n[0]}" for n in _IDENTITY_NUMBER.finditer(text) if valid_identity(n[0])]
    assert found == []


def valid_identity(number: str) -> bool:
    """Does the last character close the number as GB 11643 says?"""
    weights = [pow(2, 17 - place, 11) for place in range(17)]
    rest = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False)) % 11
    return "10X98765432"[rest] == number[17].upper()


def test_the_search_for_identity_numbers_would_find_one() -> None:
    body = "11010119900101001"
    number = body + next(last for last in "0123456789X" if valid_identity(body + last))
    assert _IDENTITY_NUMBER.search(f'"value": "{number}"')
    assert not valid_identity(body + ("0" if number[17] != "0" else "1"))


@pytest.mark.parametrize("service", SERVICES)
def test_every_rule_of_a_service_is_on_one_of_its_lists(service: str) -> None:
    """Lists are explicit; a rule that nobody lists would never run."""
    package = importlib.import_module(f"slipring_{service}.rules")
    lists = [value for value in vars(package).values() if isinstance(value, tuple | list)]
    listed = {rule.id for rules in lists for rule in rules if isinstance(rule, Rule)}
    written = set()
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        written |= {v.id for v in vars(importlib.import_module(module.name)).values() if isinstance(v, Rule)}
    assert written
    assert written - listed == set()
    assert all(name.startswith(f"{service}.") for name in written)


def test_every_decision_ends_in_when_a_change_violates_it() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{n:04}" for n in range(1, len(decisions) + 1)]
    for path in decisions:
        last = path.read_text(encoding="utf-8").strip().split("\n\n")[-1]
        assert last.startswith("**A change violates this when**"), path.name


def test_the_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "docs/make.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_addresses_of_packages_are_not_in_the_lock_and_every_package_has_a_hash() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    pinned = re.split(r"^(?=[a-z])", lock, flags=re.MULTILINE)[1:]
    assert [entry.split()[0] for entry in pinned if "--hash=sha256:" not in entry] == []
