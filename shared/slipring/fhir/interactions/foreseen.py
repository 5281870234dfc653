"""What a transaction is about to leave behind, searched like what stands already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo

from slipring.fhir.intent import Intent
from slipring.fhir.search.condition import Clause
from slipring.fhir.search.criteria import Criteria
from slipring.fhir.search.index import Rows, rows
from slipring.fhir.search.match import matches
from slipring.fhir.search.values import TokenValue
from slipring.fhir.store import reading
from slipring.fhir.store.reading import Reader

_Foreseen = tuple[Intent, Rows]


class Foreseen:
    """The intents of a transaction by their codes: a conditional reference mostly names an identifier."""

    def __init__(self, intents: Iterable[Intent], zone: tzinfo) -> None:
        self._zone = zone
        self._intents = {intent.reference: intent for intent in intents}
        self._by_type: dict[str, list[_Foreseen]] = {}
        self._by_code: dict[tuple[str, str], list[_Foreseen]] = {}

    async def matching(self, searcher: Reader, criteria: Criteria, standing: Criteria) -> list[str]:
        """References of what will match, own and followed; enough of them to know whether it is one.

        `standing` are the criteria for what is stored: there the caller may not see everything.
        """
        changed = sum(reference.startswith(f"{criteria.type}/") for reference in self._intents)
        found = await reading.search(searcher, standing, source=None, limit=changed + 2)
        kept = [row.reference for row in found if row.reference not in self._intents]
        return kept + [
            intent.reference for intent, held in self._candidates(criteria) if matches(criteria, held, intent.tree)
        ]

    def _candidates(self, criteria: Criteria) -> Sequence[_Foreseen]:
        if criteria.type not in self._by_type:
            self._index(criteria.type)
        for clause in criteria.clauses:
            named = _codes(clause) if isinstance(clause, Clause) else None
            if named is not None:
                found = [one for key in named for one in self._by_code.get(key, ())]
                return list({one[0].reference: one for one in found}.values())
        return self._by_type[criteria.type]

    def _index(self, resource_type: str) -> None:
        listed = self._by_type[resource_type] = []
        for intent in self._intents.values():
            if intent.method == "delete" or intent.tree["resourceType"] != resource_type:
                continue
            one = intent, rows(intent.tree, self._zone)
            listed.append(one)
            for token in one[1].families["token"]:
                self._by_code.setdefault((token.parameter, token.code), []).append(one)


def _codes(clause: Clause) -> list[tuple[str, str]] | None:
    """The rows of which one must be there, when the clause names plain codes; None when it does not."""
    if clause.family != "token" or clause.modifier or clause.parameter.column:
        return None
    codes = [value.code for value in clause.values if isinstance(value, TokenValue) and value.code is not None]
    if len(codes) != len(clause.values):
        return None
    return [(key, code) for key in clause.keys for code in codes]
