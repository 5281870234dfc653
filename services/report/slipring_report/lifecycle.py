"""The life of a report, as a table; status moves by signatures and by nothing else."""

from __future__ import annotations

from pathlib import Path

from slipring.rules.lifecycle import IllegalMove, Table, load_table, move

TABLE: Table = load_table(Path(__file__).with_name("lifecycle.toml"))
DRAFT = frozenset({"registered", "partial"})
RELEASED = frozenset({"final", "amended", "corrected", "appended"})
SIGNED = frozenset({"preliminary", *RELEASED})


def after_signature(status: str, number: int, chain_length: int, *, released_before: bool) -> str:
    """The status that the n-th signature leads to; the last of the chain releases.

    >>> after_signature("partial", 1, 2, released_before=False)
    'preliminary'
    >>> after_signature("preliminary", 2, 2, released_before=False)
    'final'
    """
    if number < chain_length:
        return move(TABLE, status, "signed")
    return move(TABLE, status, "released-again" if released_before else "released")


def after_amendment(status: str, kind: str) -> str:
    """The status of a released report once its next version is signed; `kind`: amended, corrected or appended.

    >>> after_amendment("final", "corrected")
    'corrected'
    """
    return move(TABLE, status, kind)


def after_withdrawal(status: str) -> str:
    """The status of a report that should never have been (wrong patient)."""
    return move(TABLE, status, "withdrawn")


def after_edit(before: str, asked: str) -> str:
    """The status a draft has after its author wrote it: it may begin, go on, or be cancelled."""
    if asked == before:
        return before
    if asked == "cancelled":
        return move(TABLE, before, "cancelled")
    if asked == "partial":
        return move(TABLE, before, "drafted")
    raise IllegalMove(before, asked, [line for line in TABLE if line.state == before])


def after_change(before: str) -> str:
    """The status of a report that is signed and not released, after its content was changed."""
    return move(TABLE, before, "content-changed")
