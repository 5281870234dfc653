"""The state tables of consent, as data: who may move what where, and under which clause."""

from __future__ import annotations

from pathlib import Path

from slipring.fhir.outcome import FhirError, conflict
from slipring.rules.lifecycle import IllegalMove, Table, load_table, towards

_DATA = Path(__file__).with_name("data")
ADMINISTRATION: Table = load_table(_DATA / "administration.toml")
CONSENT: Table = load_table(_DATA / "consent.toml")
LOT: Table = load_table(_DATA / "lot.toml")
REACTION: Table = load_table(_DATA / "reaction.toml")
OBSERVATION: Table = load_table(_DATA / "observation_life.toml")


def illegal(table: Table, state: str, target: str, at: str) -> FhirError | None:
    """The 409 that names the legal moves, or None when the table allows this one."""
    try:
        towards(table, state, target)
    except IllegalMove as error:
        legal = ", ".join(line.next for line in error.legal) or "-"
        return conflict(
            f"From {state} there is no way to {target}; legal now: {legal}.",
            f"不能从 {state} 转为 {target}；目前允许：{legal}。",
            at=at,
            detail="consent.illegal-move",
        )
    return None
