"""Finds every refusal in the source: where an OperationOutcome's issue is made, with its code and its words.

A call may be the helper of its module (`_missing(member, zh, en)`): then its callers are read. What cannot be read is
returned as a stray, and a test says that there are none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = (
    "shared/slipring",
    *(f"services/{name}/slipring_{name}" for name in ("order", "consent", "report", "critical")),
)
# Constructor -> its parameters in order, and the HTTP status and issue type it stands for.
SHAPES: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "refusal": (("status", "code", "en", "zh"), "", ""),
    "conflict": (("en", "zh"), "409", "conflict"),
    "invalid": (("en", "zh"), "400", "invalid"),
    "unprocessable": (("en", "zh"), "422", "business-rule"),
    "forbidden": (("en", "zh"), "403", "forbidden"),
    "unauthorized": (("en", "zh"), "401", "login"),
    "busy": (("en", "zh"), "503", "transient"),
    "Issue": (("code", "zh", "en", "at", "severity", "detail"), "", ""),
}
_HOLE = "…"
_DEEPEST = 3  # helpers of helpers


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """One thing the house may say no with."""

    code: str
    status: str
    issue: str
    en: str
    zh: str


@dataclass(slots=True)
class Found:
    """All refusals, what only hands others on, and what could not be read."""

    refusals: set[Refusal] = field(default_factory=set)
    strays: list[str] = field(default_factory=list)


Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class _Module:
    path: Path
    tree: ast.Module

    def functions(self) -> list[Function]:
        return [n for n in ast.walk(self.tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


Values = Mapping[str, ast.expr]


@cache
def collect() -> Found:
    """Read every module of every room."""
    modules = [
        _Module(path, ast.parse(path.read_text(encoding="utf-8")))
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
    ]
    found = Found()
    for module in modules:
        statuses = sorted(set(_statuses(module.tree)))
        for call, function in _calls(module, set(SHAPES)):
            if module.path.name == "outcome.py" and function is not None and function.name in SHAPES:
                continue  # the constructors themselves
            _read(call, function, module, modules, "/".join(statuses), found)
    return found


def _calls(module: _Module, names: set[str]) -> Iterator[tuple[ast.Call, Function | None]]:
    for name in sorted(names):
        yield from _calls_by_name(module).get(name, ())


@cache
def _calls_by_name(module: _Module) -> Mapping[str, list[tuple[ast.Call, Function | None]]]:
    """Each call with the innermost function it stands in."""
    inside = {id(node): function for function in module.functions() for node in ast.walk(function)}
    found: dict[str, list[tuple[ast.Call, Function | None]]] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.setdefault(node.func.id, []).append((node, inside.get(id(node))))
    return found


def _statuses(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "FhirError" and node.args:
            status = node.args[0]
            if isinstance(status, ast.Constant):
                yield str(status.value)


def _read(
    call: ast.Call,
    function: Function | None,
    module: _Module,
    modules: list[_Module],
    statuses: str,
    found: Found,
) -> None:
    names, status, issue = SHAPES[getattr(call.func, "id", "")]
    given = _bound(call, names)
    place = f"{module.path.relative_to(ROOT).as_posix()}:{call.lineno}"
    detail = given.get("detail")
    if isinstance(given.get("severity"), ast.Constant) and given["severity"].value in ("information", "warning"):  # type: ignore[attr-defined]
        return
    if detail is None:
        found.strays.append(f"{place} has no detail code")
        return
    if isinstance(detail, ast.Attribute):  # a rule's or a reason's own code: listed with the rules
        return
    for reading in _readings(given, function, module, modules):
        pair = reading.get("en")
        words = {"en": pair.elts[0], "zh": pair.elts[1]} if isinstance(pair, ast.Tuple) else {}
        values = {**reading, **words}
        code = _text(values.get("detail"))
        en, zh = _text(values.get("en")), _text(values.get("zh"))
        if not code or en is None or zh is None:
            found.strays.append(f"{place}: {ast.unparse(call)[:100]}")
            continue
        shown = _text(values.get("status")) or status or statuses or "4xx"
        found.refusals.add(Refusal(code, shown, _text(values.get("code")) or issue, en, zh))


def _bound(call: ast.Call, names: tuple[str, ...]) -> dict[str, ast.expr]:
    given = call.args
    if given and isinstance(given[0], ast.Starred):  # words chosen before, as a pair
        given = [given[0].value, given[0].value]
    bound = dict(zip(names, given, strict=False))
    return bound | {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def _readings(
    given: Values,
    function: Function | None,
    module: _Module,
    modules: list[_Module],
    depth: int = 0,
) -> Iterator[Values]:
    """The values as they stand, or once for each caller when the function hands its own parameters on."""
    if function is None or depth > _DEEPEST:
        yield given
        return
    known = {name: _assigned(value, function) for name, value in given.items()}
    parameters = [argument.arg for argument in [*function.args.args, *function.args.kwonlyargs]]
    used = {n.id for name in ("detail", "en", "zh") for n in _names(known.get(name)) if n.id in parameters}
    if not _hands_on(known, used):
        yield known
        return
    read = False
    for each in [module] if function.name.startswith("_") else modules:
        for call, caller in _calls(each, {function.name}):
            if caller is not function:
                read = True
                arguments = _bound(call, tuple(parameters))
                if caller is not None:
                    arguments = {name: _assigned(value, caller) for name, value in arguments.items()}
                filled = {name: _filled(value, arguments) for name, value in known.items()}
                yield from _readings(filled, caller, each, modules, depth + 1)
    if not read:  # called by another name: the pattern is what can be said
        yield known


def _hands_on(known: Values, used: set[str]) -> bool:
    """Whether a word of the refusal is a parameter as a whole, or its code is made with one."""
    whole = any(
        isinstance(known.get(n), ast.Name) and getattr(known[n], "id", "") in used for n in ("detail", "en", "zh")
    )
    return whole or any(name.id in used for name in _names(known.get("detail")))


def _names(value: ast.expr | None) -> list[ast.Name]:
    return [node for node in ast.walk(value) if isinstance(node, ast.Name)] if value is not None else []


def _assigned(value: ast.expr, function: Function) -> ast.expr:
    """A local name stands for what was assigned to it first in this function."""
    if not isinstance(value, ast.Name):
        return value
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id == value.id:
                return node.value
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                for name, part in zip(target.elts, node.value.elts, strict=False):
                    if isinstance(name, ast.Name) and name.id == value.id:
                        return part
    return value


def _filled(value: ast.expr, arguments: Values) -> ast.expr:
    if isinstance(value, ast.Name):
        return arguments.get(value.id, value)
    if isinstance(value, ast.JoinedStr):
        parts: list[ast.expr] = []
        for part in value.values:
            inner = part.value if isinstance(part, ast.FormattedValue) else None
            put = arguments.get(inner.id) if isinstance(inner, ast.Name) else None
            parts.append(put if isinstance(put, ast.Constant) else part)
        return ast.JoinedStr(parts)
    return value


def _text(value: ast.expr | None) -> str | None:
    """The words with a hole where a value goes; None when there are no words to be read."""
    if isinstance(value, ast.Constant):
        return str(value.value)
    if isinstance(value, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else _HOLE for part in value.values)
    if isinstance(value, ast.Attribute):  # the words of a reason or of another refusal
        return _HOLE
    if isinstance(value, ast.IfExp):
        return _text(value.body) and f"{_text(value.body)} / {_text(value.orelse)}"
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        return (_text(value.left) or _HOLE) + (_text(value.right) or _HOLE)
    return None
