"""Patient/[id]/$everything over all services: each gives its part, the patient's keeper first, one page after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from slipring.fhir.interactions.everything import PARAMETERS
from slipring.fhir.outcome import invalid
from slipring.front.exchange import Exchange
from slipring.front.peers import Reply, decoded
from slipring.front.searching import Searches


@dataclass(frozen=True, slots=True)
class Everything:
    """Answers `$everything`; a service that is away is named (503), because a part is not everything."""

    searches: Searches

    async def answer(self, exchange: Exchange) -> Reply:
        """One page; parameters of the address and of a Parameters resource mean the same."""
        query = exchange.query
        if exchange.method == "POST" and exchange.body:
            given = urlencode(_given(exchange.body))
            query = "&".join(part for part in (query, given) if part)
        asked = replace(exchange, method="GET", query=query, body=b"")
        path = "/".join(exchange.parts)
        owners = self.searches.owners
        keeper = owners.keepers_of(exchange.parts[0])
        services = (*keeper, *(service for service in owners.services if service not in keeper))
        return await self.searches.over(asked, path, services, "everything")


def _given(body: bytes) -> list[tuple[str, str]]:
    tree: Any = decoded(body)
    if not isinstance(tree, dict) or tree.get("resourceType") != "Parameters":
        raise invalid(
            "The body of an operation is a Parameters resource.",
            "操作的请求体必须是 Parameters 资源。",
            detail="front.body-operation-parameters-resource",
        )
    listed = tree.get("parameter", [])
    found = []
    for at, parameter in enumerate(listed if isinstance(listed, list) else []):
        values = [v for k, v in parameter.items() if k.startswith("value")] if isinstance(parameter, dict) else []
        name = str(parameter.get("name")) if isinstance(parameter, dict) else ""
        if name not in PARAMETERS or len(values) != 1 or isinstance(values[0], dict | list | None):
            known = ", ".join(PARAMETERS)
            raise invalid(
                f"A parameter of $everything is one plain value of: {known}.",
                f"$everything 的参数为单一值，可用：{known}。",
                at=f"Parameters.parameter[{at}]",
                detail="front.parameter-everything-plain-value",
            )
        found.append((name, str(values[0])))
    return found
