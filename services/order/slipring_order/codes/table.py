"""Reads a table of local codes line by line; every problem names its line, in both languages. Pure.

Hospital systems write CSV as they like: UTF-8 or GB 18030, with or without a byte order mark, with commas,
semicolons or tabs, with Chinese or English column names. What cannot be told apart for certain is refused.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slipring_order import catalogue

_LONGEST = 200  # characters of a code or a name
_DELIMITERS = ",;\t，"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "code": ("code", "local_code", "代码", "编码", "本院代码", "项目代码", "检查代码"),
    "display": ("display", "name", "名称", "项目名称", "检查名称", "检查项目"),
    "target": ("target", "catalogue_code", "exam", "目录代码", "对照代码", "目标代码"),
    "equivalence": ("equivalence", "对应关系"),
}
EQUIVALENCES = ("equivalent", "equal", "wider", "subsumes", "unmatched")


@dataclass(frozen=True, slots=True)
class Row:
    """One local code and the exam of the catalogue it stands for; no target: known, and none fits."""

    line: int
    code: str
    display: str
    target: str
    equivalence: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a line; line 0 is the file itself."""

    line: int
    zh: str
    en: str

    def __str__(self) -> str:
        """As it is printed."""
        return f"第 {self.line} 行：{self.zh} Line {self.line}: {self.en}" if self.line else f"{self.zh} {self.en}"


@dataclass(frozen=True, slots=True)
class Table:
    """What was read, and everything that is wrong with it."""

    rows: Sequence[Row]
    problems: Sequence[Problem]
    encoding: str


def read_table(content: bytes, encoding: str = "") -> Table:
    """Read a whole file; rows are only to be used when there are no problems."""
    text, used, problem = _decoded(content, encoding)
    if problem:
        return Table((), (problem,), used)
    lines = text.splitlines()
    if not any(line.strip() for line in lines):
        return Table((), (Problem(0, "文件为空。", "The file is empty."),), used)
    delimiter = max(_DELIMITERS, key=lines[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        places, problems = _places(next(reader))
        rows: list[Row] = []
        for cells in reader if not problems else ():
            if any(cell.strip() for cell in cells):
                row, wrong = _row(reader.line_num, cells, places)
                rows.append(row)
                problems += wrong
    except csv.Error:
        return Table((), (Problem(reader.line_num, "引号不成对。", "A quotation mark is not closed."),), used)
    if not rows and not problems:
        problems = [Problem(0, "没有数据行。", "There is no line of data.")]
    return Table(rows, [*problems, *_twice(rows)], used)


def _decoded(content: bytes, encoding: str) -> tuple[str, str, Problem | None]:
    """The text and how it was encoded. GB 18030 reads almost anything, so what it gives must look like text."""
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), "")
    for name in [encoding] if encoding else [marked] if marked else ["utf-8", "gb18030"]:
        try:
            text = content.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
        if all(_readable(character) for character in text):
            return text, name, None
    return "", encoding or "?", Problem(
        0,
        "无法确定文件编码：请另存为 UTF-8，或用 --encoding 指明。",
        "The encoding cannot be told for certain: save it as UTF-8, or name it by --encoding.",
    )  # fmt: skip


def _readable(character: str) -> bool:
    # Cc: control, Co: private use, Cn: unassigned, Cs: surrogate: wrongly guessed bytes end up there.
    return character in "\r\n\t" or unicodedata.category(character) not in ("Cc", "Co", "Cn", "Cs")


def _places(header: Sequence[str]) -> tuple[dict[str, int], list[Problem]]:
    names = [cell.strip().strip("\ufeff").lower() for cell in header]
    places: dict[str, int] = {}
    problems = []
    for place, name in enumerate(names):
        column = next((column for column, spelt in COLUMNS.items() if name in spelt), None)
        if column is None:
            problems.append(
                Problem(1, f"第 {place + 1} 列的列名无法识别。", f"The name of column {place + 1} is not known.")
            )
        elif column in places:
            problems.append(Problem(1, f"第 {place + 1} 列重复。", f"Column {place + 1} repeats another."))
        else:
            places[column] = place
    for column in ("code", "target"):
        if column not in places:
            spelt = "、".join(COLUMNS[column])
            problems.append(Problem(1, f"缺少列：{spelt} 之一。", f"A column is missing, one of: {spelt}."))
    return places, problems


def _row(line: int, cells: Sequence[str], places: Mapping[str, int]) -> tuple[Row, list[Problem]]:
    def cell(column: str) -> str:
        place = places.get(column)
        return cells[place].strip() if place is not None and place < len(cells) else ""

    code, target = cell("code"), cell("target").lower()
    equivalence = cell("equivalence").lower() or ("equivalent" if target else "unmatched")
    problems = []
    if len(cells) > max(places.values()) + 1 and any(extra.strip() for extra in cells[max(places.values()) + 1 :]):
        problems.append(Problem(line, "单元格多于列名。", "There are more cells than columns."))
    if not code:
        problems.append(Problem(line, "缺少代码。", "The code is missing."))
    if any(len(each) > _LONGEST for each in (code, cell("display"))):
        problems.append(Problem(line, f"内容超过 {_LONGEST} 字。", f"A cell is longer than {_LONGEST} characters."))
    if equivalence not in EQUIVALENCES:
        said = ", ".join(EQUIVALENCES)
        problems.append(Problem(line, f"对应关系须为 {said}。", f"The equivalence must be one of {said}."))
    if target and target not in catalogue.own_codes():
        near = difflib.get_close_matches(target, catalogue.own_codes(), n=2)
        zh, en = (f"相近的有 {'、'.join(near)}。", f" Near it: {', '.join(near)}.") if near else ("", "")
        problems.append(Problem(line, f"目录中没有该代码。{zh}", f"The catalogue has no such code.{en}"))
    if bool(target) == (equivalence == "unmatched"):
        problems.append(Problem(line, "目录代码与对应关系不符。", "Target and equivalence contradict each other."))
    return Row(line, code, cell("display"), target, equivalence), problems


def _twice(rows: Sequence[Row]) -> list[Problem]:
    first: dict[str, int] = {}
    problems = []
    for row in rows:
        if row.code and row.code in first:
            problems.append(
                Problem(
                    row.line,
                    f"代码已在第 {first[row.code]} 行出现。",
                    f"The code stands in line {first[row.code]} already.",
                )
            )
        first.setdefault(row.code, row.line)
    return problems
