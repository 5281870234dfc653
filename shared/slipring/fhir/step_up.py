"""Step-up: acts for which a person proves once more who he is (RFC 9470)."""

from __future__ import annotations

from datetime import datetime

from slipring.fhir.caller import Caller
from slipring.fhir.outcome import refusal


def demand_fresh(caller: Caller, now: datetime, seconds: int) -> None:
    """401 unless the person behind the token proved who he is within so many seconds.

    A client that acts for one practitioner by its own key proves it with each assertion: then the token's issue counts.
    The service itself, which acts on what was decided before, is asked nothing.
    """
    proved_at = caller.proved_at
    if proved_at is None or now.timestamp() - proved_at <= seconds:
        return
    challenge = (
        'Bearer realm="slipring", error="insufficient_user_authentication",'
        f' error_description="A fresh sign-in is needed", max_age="{seconds}"'
    )
    raise refusal(
        401,
        "login",
        f"This act asks for a sign-in within the last {seconds} seconds: sign in again (max_age={seconds}).",
        f"该操作要求在最近 {seconds} 秒内验证过身份：请重新登录（max_age={seconds}）。",
        detail="kernel.fresh-sign-in-needed",
        headers={"WWW-Authenticate": challenge},
    )
