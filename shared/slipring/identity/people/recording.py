"""What people do about their identity stands in the front's audit rows: who, what, which account, when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg

from slipring.fhir.store.audit import AuditQueue
from slipring.fhir.store.batch import Audit
from slipring.fhir.store.engine import OneConnection

FRONT = "slipring-front"


async def record(
    connection: asyncpg.Connection,
    what: str,
    account: str,
    at: datetime,
    *,
    practitioner: str = "",
    by: str = FRONT,
    request_id: str = "",
    outcome: int = 200,
    details: tuple[str, ...] = (),
    purpose: str = "",
) -> None:
    """Store one row in the open transaction of a connection whose search path is the front's schema.

    `what`: sign-in, sign-in-refused, lockout, sign-out, password-change, account-add, role-change, break-glass, ...
    `account` '' for a typed name that no account has: it may be a password in the wrong field, and is kept nowhere.
    `details`: codes only, such as the roles given.
    """
    row = Audit(
        client=by,
        practitioner=practitioner,
        interaction=what,
        resource=f"account/{account}" if account else "account",
        request_id=request_id,
        outcome=outcome,
        parameters=details,
        purpose=purpose,
    )
    one: Any = OneConnection(connection)
    await AuditQueue(one).write(row, at)
