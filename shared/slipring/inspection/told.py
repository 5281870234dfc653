"""Verdicts as they are read: lines of a table in one language, and one JSON object (pure)."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

from slipring.client.clauses import CheckTold, RowTold, Told

VERDICTS = {
    "met": {"zh": "符合", "en": "met"},
    "not-met": {"zh": "不符合", "en": "not met"},
    "unconfirmed": {"zh": "待确认", "en": "unconfirmed"},
    "no-data": {"zh": "无数据", "en": "no data"},
    "procedure": {"zh": "程序性条款", "en": "procedure"},
}
_HEAD = {
    "zh": ("条款", "结论", "记录", "例外", "要求"),
    "en": ("clause", "verdict", "records", "exceptions", "what it asks"),
}
_NOT_THEN = {
    "zh": "{count} 条其他服务的记录按其现状（而非当时状态）判断",
    "en": "{count} records of another service were read as they are today, not as they stood then",
}
_WIDTHS = (18, 12, 9, 11)
_MOST_SHOWN = 10


def lines(told: Told, language: str, address: str) -> Iterator[str]:
    """A head, a line for each row, below it what breaks it, and a sum."""
    yield f"CNAS-CL02-A011:2018  {told.period}  ({told.at})"
    yield _cells(*_HEAD[language])
    for row in told.rows:
        asks = row.clause.asks.zh if language == "zh" else row.clause.asks.en
        counts = (str(row.population), str(row.count)) if row.verdict != "procedure" else ("", "")
        yield _cells(row.clause.id, VERDICTS[row.verdict][language], *counts, asks)
        for check in row.checks:
            yield from _below(check, language, address)
    counted = Counter(row.verdict for row in told.rows)
    yield "  ".join(f"{VERDICTS[name][language]} {counted[name]}" for name in VERDICTS if counted[name])


def tree(told: Told, address: str) -> dict[str, Any]:
    """All of it, with a link for each record."""
    return {
        "standard": "CNAS-CL02-A011:2018",
        "periodStart": told.period.first.isoformat(),
        "periodEnd": told.period.last.isoformat(),
        "at": told.at,
        "clauses": [_row(row, address) for row in told.rows],
    }


def link(address: str, path: str) -> str:
    """Where a record or a search is found at the front."""
    return f"{address.rstrip('/')}/fhir/{path}"


def _below(check: CheckTold, language: str, address: str) -> Iterator[str]:
    says = check.zh if language == "zh" else check.en
    if check.exceptions:
        yield f"    {check.service}.{check.code}: {says}"
    for one in check.exceptions[:_MOST_SHOWN]:
        how = one.zh if language == "zh" else one.en
        yield f"      - {how}  {link(address, one.record)}" if one.record else f"      - {how}"
    if check.count > _MOST_SHOWN:
        yield f"      ... {check.count - _MOST_SHOWN} +"
    if check.not_then:
        yield f"    {check.service}.{check.code}: {_NOT_THEN[language].format(count=len(check.not_then))}"
    for name in check.unconfirmed if check.verdict == "unconfirmed" else ():
        yield f"      ? {name}"


def _row(row: RowTold, address: str) -> dict[str, Any]:
    return {
        "id": row.clause.id,
        "zh": row.clause.asks.zh,
        "en": row.clause.asks.en,
        "iso2022": list(row.clause.iso2022),
        "verdict": row.verdict,
        "population": row.population,
        "exceptions": row.count,
        "sha256": row.sha256,
        "checks": [_check(check, address) for check in row.checks],
    }


def _check(check: CheckTold, address: str) -> dict[str, Any]:
    return {
        "service": check.service,
        "code": check.code,
        "zh": check.zh,
        "en": check.en,
        "verdict": check.verdict,
        "population": check.population,
        "count": check.count,
        "evidence": [link(address, query) for query in check.evidence],
        "unconfirmed": list(check.unconfirmed),
        "notThen": list(check.not_then),
        "exceptions": [
            {
                "kind": one.kind,
                "zh": one.zh,
                "en": one.en,
                **({"record": one.record, "link": link(address, one.record)} if one.record else {}),
            }
            for one in check.exceptions
        ],
    }


def _cells(*cells: str) -> str:
    padded = [cell + " " * max(1, width - _columns(cell)) for cell, width in zip(cells, _WIDTHS, strict=False)]
    return "".join([*padded, *cells[len(_WIDTHS) :]])


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes: a wide character takes two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
