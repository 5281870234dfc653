"""What a search or a history asks, read from address and form, and written again for each keeper."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from slipring.fhir.interactions.asked import MOST_PARAMETERS
from slipring.fhir.outcome import invalid, refusal
from slipring.front.crossing import Pairs
from slipring.front.exchange import Exchange
from slipring.front.merging import Position
from slipring.front.resolving import FORM

CURSOR_PARAMETER = "_position"
_FORM = FORM["content-type"]


def asked_of(exchange: Exchange) -> Pairs:
    """The decoded parameters of address and form, which must be UTF-8."""
    form = b""
    if exchange.method == "POST":
        if exchange.headers.get("content-type", _FORM).partition(";")[0].strip().lower() != _FORM:
            raise refusal(
                415,
                "not-supported",
                f"_search takes a form: Content-Type must be {_FORM}.",
                f"_search 只接受表单：Content-Type 须为 {_FORM}。",
                detail="front.search-takes-form",
            )
        form = exchange.body
    try:
        return [
            pair
            for text in (exchange.query.encode("latin-1").decode("ascii"), form.decode("ascii"))
            for pair in parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
        ]
    except ValueError as error:
        raise invalid(
            f"The parameters are not percent-encoded UTF-8, or more than {MOST_PARAMETERS}.",
            f"参数不是百分号编码的 UTF-8，或多于 {MOST_PARAMETERS} 个。",
            detail="front.parameters-not-percent-encoded-utf",
        ) from error


def value_of(pairs: Pairs, name: str) -> str:
    """The first value of a parameter, '' when it is not given."""
    return next((value for key, value in pairs if key == name), "")


def positions_of(services: tuple[str, ...], path: str, pairs: Pairs, form: bool) -> list[Position]:
    """Where each service is begun to be read."""
    query = urlencode(pairs)
    if form:
        return [Position(service, path, "POST", query) for service in services]
    return [Position(service, f"{path}?{query}" if query else path) for service in services]
