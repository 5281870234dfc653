"""Values at shares of the way through those of a population, in one statement.

The sums of days tell in which steps of values they lie, and only the rows of those steps are put in order. What a row has
remarked on it is known by its digest. Between two values it is as far as `percentile_cont` would be.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from slipring.fhir.store.counted_statement import EACH, Statement
from slipring.fhir.store.summed import STEPS, is_summed, parts

_REMARKED = "LEFT JOIN (SELECT DISTINCT first, second, remarks FROM noted) s USING (first, second)"
_WANTED = "(c.marks, coalesce(s.remarks, '')) IN (SELECT marks, remarks FROM wanted)"
_REMARKED_WANTED = "(marks, remarks) IN (SELECT marks, remarks FROM wanted WHERE remarks <> '')"
_UNREMARKED = "{row}.marks IN (SELECT marks FROM wanted WHERE remarks = '')"
# The same said so that rows keep the order of the index that they are read from, and reading ends with the last one needed.
_IN_ORDER = f"""{_UNREMARKED.format(row="c")} AND (c.first, c.second) NOT IN (SELECT first, second FROM noted)
            OR (c.first, c.second) IN (SELECT first, second FROM noted WHERE {_REMARKED_WANTED})"""
_BY_STEP = "SELECT counted_step(c.value), {sign}count(*) FROM {rows} WHERE c.value IS NOT NULL AND {whose} GROUP BY 1"


def quantiles(one: Statement, of: Sequence[tuple[str, str]], shares: Sequence[float]) -> str:
    """A row `found` for each share, in their order, of groups told by marks and remarks; none where no member has a value."""
    told = ", ".join(f"{one.place([group[n] for group in of])}::text[]" for n in (0, 1))
    wanted = f"wanted AS MATERIALIZED (SELECT DISTINCT marks, remarks FROM unnest({told}) AS w(marks, remarks))"
    placed = f"{one.place(list(shares))}::float8[]"
    if not is_summed(one.asked):
        return f"""WITH {one.few}, {wanted}
          SELECT unnest(percentile_cont({placed}) WITHIN GROUP (ORDER BY c.value)) AS found
          FROM counted c {_REMARKED} WHERE {one.within} AND c.value IS NOT NULL AND {_WANTED}"""
    return f"""WITH {one.few}, {wanted},
      steps AS MATERIALIZED (SELECT step, sum(n)::bigint AS n, (sum(sum(n)) OVER (ORDER BY step) - sum(n))::bigint AS before
        FROM ({" UNION ALL ".join(_steps(one))}) AS s(step, n) GROUP BY step),
      places AS MATERIALIZED (SELECT nth, share * ((SELECT sum(n) FROM steps) - 1)::float8 AS place
        FROM unnest({placed}) WITH ORDINALITY AS p(share, nth)),
      ends AS MATERIALIZED (SELECT floor(place)::bigint AS rank FROM places UNION SELECT ceil(place)::bigint FROM places),
      bounds AS (SELECT nth - 1 AS step, high, lag(high, 1, '-Infinity') OVER (ORDER BY nth) AS low
        FROM unnest({one.place([*STEPS, inf])}::float8[]) WITH ORDINALITY AS b(high, nth)),
      needed AS MATERIALIZED (SELECT before, low, high, min(rank) - before AS first, max(rank) - before AS last
        FROM steps JOIN ends ON rank >= before AND rank < before + n JOIN bounds USING (step) GROUP BY before, low, high),
      ordered AS MATERIALIZED (SELECT value, before + nth - 1 AS rank FROM needed n CROSS JOIN LATERAL
        (SELECT c.value, row_number() OVER (ORDER BY c.value) AS nth FROM counted c
          WHERE {one.within} AND c.value > n.low AND c.value <= n.high AND ({_IN_ORDER})
          ORDER BY c.value LIMIT n.last - n.first + 1 OFFSET n.first) o
        WHERE before + nth - 1 = ANY(ARRAY(SELECT rank FROM ends)))
      SELECT low.value + (place - floor(place)) * (high.value - low.value) AS found
      FROM places JOIN ordered low ON low.rank = floor(place)::bigint JOIN ordered high ON high.rank = ceil(place)::bigint ORDER BY nth"""


def _steps(one: Statement) -> list[str]:
    """How many of the wanted have their values in each step: by sums, of the rows beside them, less and more the few."""
    found = parts(one.asked, "", one.zone)
    sums = [
        f"""SELECT s.step, {sign} * sum(s.members) AS n FROM {summed}
        WHERE s.step IS NOT NULL AND {_UNREMARKED.format(row="s")} GROUP BY 1"""
        for sign, summed in one.sums(found)
    ]
    beside, unremarked = one.table(found.beside, "timestamptz"), _UNREMARKED.format(row="c")
    rows = f"{beside} JOIN counted c ON {EACH} AND c.at >= r.low AND c.at < r.high"
    return [
        *sums,
        _BY_STEP.format(sign="", rows=rows, whose=unremarked),
        *(
            _BY_STEP.format(sign="-", rows=f"{few} c", whose=unremarked)
            for few in ("noted", "overtaken")[: 1 + one.asked.newest]
        ),
        _BY_STEP.format(sign="", rows="noted c", whose=_REMARKED_WANTED),
    ]
