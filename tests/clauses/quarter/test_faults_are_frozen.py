"""The faults of the quarter stay what they were when they were written, before the checks were run."""

from __future__ import annotations

import tomllib
from hashlib import sha256

from slipring.clauses.register import register

from .faults import FILE, faults

FROZEN = "a952e3f9558b99d8827a26911a4ea46f238c4a6a8e19dcaddf2ab02b614e55cb"


def test_each_fault_has_its_result() -> None:
    results = tomllib.loads(FILE.with_name("results.toml").read_text(encoding="utf-8"))["fault"]
    assert list(results) == [fault.id for fault in faults()]


def test_no_fault_was_changed_since_it_was_frozen() -> None:
    assert sha256(FILE.read_bytes()).hexdigest() == FROZEN


def test_every_fault_belongs_to_one_row_that_has_a_duty_and_to_a_day_of_the_quarter() -> None:
    duties = {clause.id for clause in register().clauses if clause.kinds != ("procedure",)}
    known = faults()
    assert len({fault.id for fault in known}) == len(known) > 60
    assert {fault.clause for fault in known} <= duties
    assert all(1 <= fault.day <= 92 for fault in known)
    assert duties - {fault.clause for fault in known} == {
        "A.1, A.2"
    }  # the draw of a sample is not a thing that happens
