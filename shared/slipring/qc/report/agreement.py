"""How well two readers agree beyond chance: percent agreement and Cohen's kappa with its interval. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from slipring.qc.proportion import LEVEL, Interval, wilson

Weighting = Literal["none", "linear", "quadratic"]
Table = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Kappa:
    """Agreement beyond chance with the bounds of its interval; from -1 to 1."""

    value: float
    low: float
    high: float
    error: float  # the large-sample standard error that the interval rests on


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a square table of two readers' grades says."""

    cases: int
    agreed: int
    percent: Interval | None  # agreed of cases, with its Wilson interval; None without cases
    kappa: Kappa | None  # None where chance alone explains everything, or there is no case


def cross_table(pairs: Iterable[tuple[str, str]], grades: Sequence[str]) -> list[list[int]]:
    """Cases by the first reader's grade (rows) and the second's (columns), in the order of the grades.

    ValueError for a grade that is not among them.

    >>> cross_table([("a", "a"), ("a", "b")], ["a", "b"])
    [[1, 1], [0, 0]]
    """
    table = [[0] * len(grades) for _ in grades]
    for first, second in pairs:
        table[grades.index(first)][grades.index(second)] += 1
    return table


def agreement(table: Table, weighting: Weighting = "none", level: float = LEVEL) -> Agreement:
    """Percent agreement and kappa of a square table of counts; ValueError when it is not square, or counts less than none."""
    _demand_square(table)
    cases = sum(map(sum, table))
    agreed = sum(table[i][i] for i in range(len(table)))
    return Agreement(cases, agreed, wilson(agreed, cases, level), cohens_kappa(table, weighting, level))


def cohens_kappa(table: Table, weighting: Weighting = "none", level: float = LEVEL) -> Kappa | None:
    """Cohen's kappa, unweighted or with weights by the distance of the grades; None where it is not defined.

    J. Cohen, Educ Psychol Meas 1960; 20: 37-46, and Psychol Bull 1968; 70: 213-220: (p_o - p_e) / (1 - p_e) with weights
    w = 1 - d/(k-1) (linear) or 1 - d²/(k-1)² (quadratic). Standard error by J. L. Fleiss, J. Cohen and B. S. Everitt,
    Psychol Bull 1969; 72: 323-327: sqrt(sum p_ij (w_ij - (w_i. + w_.j)(1 - kappa))² - (kappa - p_e (1 - kappa))²) over
    (1 - p_e) sqrt(n). The bounds are cut at -1 and 1; for fewer than some thirty cases they are rough.
    """
    _demand_square(table)
    n, size = sum(map(sum, table)), range(len(table))
    if n == 0:
        return None
    share = [[count / n for count in row] for row in table]
    rows, columns = [sum(row) for row in share], [sum(row[j] for row in share) for j in size]
    weights = _weights(len(table), weighting)
    observed = math.fsum(weights[i][j] * share[i][j] for i in size for j in size)
    chance = math.fsum(weights[i][j] * rows[i] * columns[j] for i in size for j in size)
    if math.isclose(chance, 1.0, abs_tol=1e-12):
        return None
    kappa = (observed - chance) / (1 - chance)
    of_row = [math.fsum(columns[j] * weights[i][j] for j in size) for i in size]
    of_column = [math.fsum(rows[i] * weights[i][j] for i in size) for j in size]
    spread = math.fsum(
        share[i][j] * (weights[i][j] - (of_row[i] + of_column[j]) * (1 - kappa)) ** 2 for i in size for j in size
    )
    variance = max(0.0, spread - (kappa - chance * (1 - kappa)) ** 2) / (n * (1 - chance) ** 2)
    error = math.sqrt(variance)
    half = NormalDist().inv_cdf(0.5 + level / 2) * error
    return Kappa(kappa, max(-1.0, kappa - half), min(1.0, kappa + half), error)


def _weights(size: int, weighting: Weighting) -> list[list[float]]:
    last = max(1, size - 1)
    if weighting == "none":
        return [[float(i == j) for j in range(size)] for i in range(size)]
    power = 1 if weighting == "linear" else 2
    return [[1 - (abs(i - j) / last) ** power for j in range(size)] for i in range(size)]


def _demand_square(table: Table) -> None:
    if any(len(row) != len(table) or any(count < 0 for count in row) for row in table):
        raise ValueError("agreement is of a square table of counts")
