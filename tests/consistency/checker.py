"""Is a history of register operations linearizable? Wing and Gong's search with Lowe's memo, per register.

An operation of unknown outcome (no answer came) may take effect at any later moment or never. Values are unique, so a
write that is nowhere in the final history is taken as never having happened, and one that is there as having happened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation on one register as its client saw it.

    `kind`: write (unconditional), match (If-Match `expects`), delete, read. `version` is the one answered, None when
    unknown; `refused` says that the condition was answered not to hold (412). A read of something deleted has value None.
    """

    kind: str
    began: float
    ended: float
    value: str | None = None
    version: int | None = None
    expects: int | None = None
    refused: bool = False
    known: bool = True


State = tuple[int, str | None]  # version, value; None when deleted


def step(state: State, operation: Operation) -> State | None:
    """The state after the operation, or None when it cannot have been answered so in this state."""
    version, value = state
    if operation.kind == "read":
        seen = (operation.version is None or operation.version == version) and operation.value == value
        return state if seen else None
    if operation.kind == "match":
        holds = operation.expects == version and value is not None
        if operation.refused:
            return None if holds else state
        if not holds:
            return None
    if operation.kind == "delete" and value is None:  # deleting again changes nothing
        return state if operation.version in (None, version) else None
    after = (version + 1, None if operation.kind == "delete" else operation.value)
    return after if operation.version in (None, after[0]) else None


def settled(operations: Sequence[Operation], history: Mapping[int, str | None]) -> list[Operation]:
    """Writes without an answer, as the final history tells of them: those it holds happened, the others never did.

    Deletions without an answer stay open: nobody can tell one from another.
    """
    versions = {value: version for version, value in history.items() if value is not None}
    return [
        o if o.known or o.kind == "delete" else replace(o, version=versions[o.value], known=True)
        for o in operations
        if o.known or o.kind == "delete" or o.value in versions
    ]


def linearizable(
    operations: Sequence[Operation], first: State, history: Mapping[int, str | None] | None = None
) -> bool:
    """Whether some order of the operations explains every answer and keeps the order of those that did not overlap.

    Operations that are not known to have happened may be left out. With the final `history` no step may contradict it.
    """
    ordered = sorted(operations, key=lambda o: o.began)
    must = sum(1 << i for i, o in enumerate(ordered) if o.known)
    seen: set[tuple[int, State]] = set()
    stack: list[tuple[int, State]] = [(0, first)]
    while stack:
        done, state = stack.pop()
        if done & must == must:
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        latest = min(o.ended for i, o in enumerate(ordered) if o.known and not done >> i & 1)
        for took, after in _next(ordered, done, state, latest):
            if history is None or history.get(after[0], "") == after[1]:
                stack.append((done | took, after))
    return False


def _next(ordered: Sequence[Operation], done: int, state: State, latest: float) -> list[tuple[int, State]]:
    """What may take effect next: (its bit, the state after it); without needless choices, which double the search each.

    A read or refusal that fits is taken at once, alone: it never changes anything, so every order that has it later
    stays one with it here. Of deletions without an answer only the earliest is tried: it can stand for any later one.
    """
    ways = []
    open_delete = False
    for i, operation in enumerate(ordered):
        if operation.began > latest:
            break
        if done >> i & 1 or (open_delete and not operation.known):
            continue
        open_delete |= not operation.known
        after = step(state, operation)
        if after is not None and (operation.kind == "read" or operation.refused):
            return [(1 << i, after)]
        if after is not None:
            ways.append((1 << i, after))
    return ways


def faults(name: str, operations: Sequence[Operation], history: Mapping[int, str | None], first: State) -> list[str]:
    """All that is wrong with one register, in words."""
    found = []
    if sorted(history) != list(range(first[0], first[0] + len(history))):
        found.append(f"{name}: the versions have a gap: {sorted(history)}")
    for o in operations:
        if not o.known or o.refused or o.version is None:
            continue
        if o.version not in history:
            found.append(f"{name}: version {o.version} was answered and is lost")
        elif history[o.version] != o.value:
            found.append(f"{name}: version {o.version} is {history[o.version]} and was answered as {o.value}")
    if not found and not linearizable(settled(operations, history), first, history):
        found.append(f"{name}: no order of the operations explains the answers")
    return found


def torn(transactions: Mapping[str, Sequence[str]], histories: Mapping[str, Mapping[int, str | None]]) -> list[str]:
    """Transactions (value -> registers) that are stored in some of their registers and not in others."""
    found = []
    for value, registers in transactions.items():
        held = [name for name in registers if value in histories[name].values()]
        if held and len(held) != len(registers):
            found.append(f"{value} is stored in {held} of {list(registers)}")
    return found
