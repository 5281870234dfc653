"""The conditions of a search as SQL (pure): semi-joins on the search tables, written for their indexes.

They must mean what `search/match.py` means; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.search.condition import AllOf, AnyOf, Chain, Clause, Condition, Has, ShownTo
from slipring.fhir.search.criteria import Criteria
from slipring.fhir.search.values import ReferenceValue, TokenValue
from slipring.fhir.store.comparisons import MOMENTS, Arguments, compared, dated

# The table of each family of rows.
TABLES = {
    "token": "search_token",
    "reference": "search_reference",
    "date": "search_date",
    "string": "search_string",
    "quantity": "search_quantity",
}

_MOST_JOINS = 4  # with more tables the planner stops weighing every order


def matching(criteria: Criteria, source: str | None, arguments: Arguments) -> tuple[str, str]:
    """What follows `FROM resource r`, and the WHERE: current resources that meet every clause.

    A clause that at most one row of a resource can meet is joined: two such are then intersected in their indexes
    before any resource is looked at, which no planner does for EXISTS.
    """
    joined: list[str] = []
    written = [f"r.type = {arguments.add(criteria.type, 'text')}", "NOT r.deleted"]
    if source is not None:
        written.append(f"r.source = {arguments.add(source, 'text')}")
    for one in criteria.clauses:
        if isinstance(one, Clause) and _meets_one_row(one) and len(joined) < _MOST_JOINS:
            s = f"j{len(joined) + 1}"
            named = f"{s}.key = r.key AND {s}.parameter = {arguments.add(one.keys[0], 'text')}"
            joined.append(f" JOIN {TABLES[one.family]} {s} ON {named} AND {compared(one.values[0], '', arguments, s)}")
        else:
            written.append(_condition(one, 0, arguments))
    return "".join(joined), " AND ".join(written)


def all_of(conditions: Sequence[Condition], arguments: Arguments) -> str:
    """That the resource `r` meets all of these."""
    return " AND ".join(_condition(one, 0, arguments) for one in conditions) or "true"


def _meets_one_row(clause: Clause) -> bool:
    """Whether the clause names one row in full, and a resource holds each row once."""
    if clause.modifier or len(clause.values) > 1 or len(clause.keys) > 1 or clause.parameter.column:
        return False
    value = clause.values[0]
    if isinstance(value, TokenValue):
        return value.system is not None and value.code is not None
    return isinstance(value, ReferenceValue) and value.type is not None


def _row(depth: int) -> str:
    """The resource a condition is about: `r` itself, or the one `depth` links away."""
    return f"r{depth}" if depth else "r"


def _condition(condition: Condition, depth: int, arguments: Arguments) -> str:
    if isinstance(condition, Clause):
        return _clause(condition, depth, arguments)
    if isinstance(condition, AnyOf | AllOf):
        between, none = (" OR ", "false") if isinstance(condition, AnyOf) else (" AND ", "true")
        return f"({between.join(_condition(one, depth, arguments) for one in condition.conditions) or none})"
    if isinstance(condition, ShownTo):
        here = _row(depth)
        return f"({here}.audience IS NULL OR {here}.audience && {arguments.add(list(condition.audiences), 'text[]')})"
    return _linked(condition, depth, arguments)


def _linked(condition: Chain | Has, depth: int, arguments: Arguments) -> str:
    """A resource one link away that meets the condition; links by canonical URL go through its `url`."""
    here, there, link = _row(depth), _row(depth + 1), f"l{depth + 1}"
    parameter = condition.parameter
    forward = isinstance(condition, Chain)
    kind = arguments.add(condition.type if isinstance(condition, Chain) else parameter.resource, "text")
    named = f"{there}.type = {kind} AND NOT {there}.deleted AND {_named(link, parameter.keys, arguments)}"
    from_, to = (here, there) if forward else (there, here)
    tables = f"search_reference {link}, resource {there}"
    if parameter.canonical:
        target = condition.type if isinstance(condition, Chain) else condition.of
        url = arguments.add(f"{target}.url", "text")
        tables += f", search_token u{depth + 1}"
        ends = f"u{depth + 1}.parameter = {url} AND u{depth + 1}.key = {to}.key AND {link}.id = u{depth + 1}.code AND {link}.type = ''"
    else:
        ends = f"{to}.id = {link}.id AND {to}.type = {link}.type"
        ends += f" AND {link}.type = {kind}" if forward else ""
    inside = _condition(condition.condition, depth + 1, arguments)
    return f"EXISTS (SELECT 1 FROM {tables} WHERE {named} AND {link}.key = {from_}.key AND {ends} AND {inside})"


def _named(rows: str, keys: Sequence[str], arguments: Arguments) -> str:
    if len(keys) == 1:
        return f"{rows}.parameter = {arguments.add(keys[0], 'text')}"
    return f"{rows}.parameter = ANY({arguments.add(list(keys), 'text[]')})"


def _clause(clause: Clause, depth: int, arguments: Arguments) -> str:
    here = _row(depth)
    if clause.parameter.code == "_id":
        ids = [value.code for value in clause.values if isinstance(value, TokenValue)]
        return f"{here}.id = ANY({arguments.add(ids, 'text[]')})"
    if clause.parameter.code == "_lastUpdated":
        return "(" + " OR ".join(dated(value, MOMENTS, arguments, row=here) for value in clause.values) + ")"
    named = _named("s", clause.keys, arguments)
    rows = f"SELECT 1 FROM {TABLES[clause.family]} s WHERE s.key = {here}.key AND {named}"
    if clause.modifier == "missing":
        return f"{'NOT ' if clause.values[0] else ''}EXISTS ({rows})"
    negated = "NOT " if clause.modifier == "not" else ""
    return f"{negated}EXISTS ({rows} AND ({_values(clause, arguments)}))"


def _values(clause: Clause, arguments: Arguments) -> str:
    """Any of the values; codes of one system go together, and ids of one type: one index scan serves them, and one plan."""
    if len(clause.values) == 1:
        return compared(clause.values[0], clause.modifier, arguments)
    together: dict[tuple[str, str | None], list[str]] = {}
    written: list[str] = []
    for value in clause.values:
        if isinstance(value, TokenValue) and value.code is not None:
            together.setdefault(("system", value.system), []).append(value.code)
        elif isinstance(value, ReferenceValue) and value.type is not None:
            together.setdefault(("type", value.type), []).append(value.id)
        else:
            written.append(compared(value, clause.modifier, arguments))
    return " OR ".join([*written, *(_any_of(*of, held, arguments) for of, held in together.items())])


def _any_of(column: str, of: str | None, held: Sequence[str], arguments: Arguments) -> str:
    """One of several codes of a system (or of whatever system), or ids of a type."""
    name = "code" if column == "system" else "id"
    one = f"s.{name} = ANY({arguments.add(list(held), 'text[]')})"
    return one if of is None else f"({one} AND s.{column} = {arguments.add(of, 'text')})"
