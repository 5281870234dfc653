"""Readers agree beyond chance in what they read twice, blind (5.6.4)."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.service import Evidence
from slipring.qc.report.agreement import cohens_kappa, cross_table
from slipring.verdicts.looking import Judged, Look, broken

from slipring_report.department import limit_on
from slipring_report.learning import answers
from slipring_report.learning.re_reading import categories
from slipring_report.vocabulary import READING_CATEGORY, codes_of

_LEAST = "readers.kappa_least"


async def readers_agree(look: Look, counted: Sequence[Evidence]) -> Judged:
    """Kappa over the period's blind second readings, with its whole interval below the department's least, is no agreement.

    The exceptions are then the cases whose categories differ. Weights by the distance of the categories; none is told
    where kappa is not defined (every case in one category by both).
    """
    grades = list(codes_of(READING_CATEGORY))
    said = [(one, categories(one.stored.resource)) async for one in look.spread(counted) if _blind(one)]
    blind = [(one, pair) for one, pair in said if {*pair} <= {*grades}]
    weighting = answers.settings()["re-reading"]["weighting"]
    kappa = cohens_kappa(cross_table((pair for _, pair in blind), grades), weighting)
    least = limit_on(look.at, look.desk.settings, _LEAST)
    if kappa is None or kappa.high >= float(least.value):
        return Judged((), len(blind))
    told = f"κ={kappa.value:.2f} ({kappa.low:.2f}–{kappa.high:.2f}) < {least.value}"
    return Judged(
        [
            broken(one, f"两次阅片不一致；{told}", f"the two readings differ; {told}", figure=least.id)
            for one, (first, second) in blind
            if first != second
        ],
        len(blind),
    )


def _blind(one: Evidence) -> bool:
    return bool(answers.told(one.stored.resource, "shown-before") == "no")
