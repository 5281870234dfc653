"""What every interaction of one service works with, and the context of one request."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, cast
from zoneinfo import ZoneInfo

import asyncpg
from cryptography.fernet import Fernet

from slipring.fhir.caller import BREAK_GLASS, Caller
from slipring.fhir.definitions import Catalogue, catalogue_of
from slipring.fhir.desk import Accounts, LiveDesk, no_accounts
from slipring.fhir.outcome import FhirError, forbidden, refusal
from slipring.fhir.preference import preferences
from slipring.fhir.search.index import Rows, rows
from slipring.fhir.search.parameter import parameters_for
from slipring.fhir.service import Keeps, Resource, Seals, Service
from slipring.fhir.store.batch import Audit
from slipring.fhir.store.engine import OneConnection
from slipring.fhir.store.reading import Reader
from slipring.fhir.store.store import Store
from slipring.fhir.vault import Safe
from slipring.fhir.wire import BODY_SECONDS
from slipring.runtime.clock import Clock
from slipring.runtime.meters import Meters

Standing = Callable[[Caller], Awaitable[Caller | None]]


async def as_he_was(caller: Caller) -> Caller | None:
    """The rights that a caller had, where nobody takes any away."""
    return caller


@dataclass
class Kernel:
    """One running service."""

    service: Service
    store: Store
    clock: Clock
    zone: ZoneInfo
    base: str  # public address of the service's FHIR base, e.g. http://127.0.0.1:8100/order/fhir
    cursors: Fernet
    secrets: Fernet  # what a subscriber entrusts to us lies encrypted by this
    seals: Seals  # the service's own key
    settings: Any = None  # the service's own
    max_body_bytes: int = 20 * 1024 * 1024
    max_entries: int = 5000
    body_seconds: float = BODY_SECONDS  # how long a request body may take to arrive
    demo: bool = False
    step_up_seconds: int = 300  # how old a sign-in may be for a signature or an override
    event_days: int = 30  # how long what was delivered is kept
    delivery_seconds: float = 10.0  # how long an endpoint may take for one notification
    deliveries_at_once: int = 8  # notifications of one plain rest-hook under way
    fake_time: bool = False  # stories: deadlines are judged by the fake clock instead of the database's
    owners: Mapping[str, str] = field(default_factory=dict)  # type -> its keeper, to name it in a 404
    standing: Standing = as_he_was  # what a caller of some time ago may do now; None: he is told nothing
    accounts: Accounts = no_accounts  # which people can sign in
    # Standard operations answered by rooms above the interactions: code -> its answer to (kernel, context, id, given).
    operations: Mapping[str, Callable[..., Awaitable[Any]]] = field(default_factory=dict)
    noted: Callable[[], Awaitable[None]] | None = None  # until whom the audit rows are about has been noted
    meters: Meters = field(default_factory=Meters)

    @cached_property
    def held(self) -> frozenset[str]:
        """The types that lie in this schema, kept or followed: what chains may look into."""
        return frozenset([one.type for one in self.service.keeps] + [one.type for one in self.service.follows])

    @cached_property
    def _keepers(self) -> dict[str, Keeps]:
        return {keeps.type: keeps for keeps in self.service.keeps}

    @cached_property
    def referring(self) -> tuple[str, ...]:
        """The parameters (`Type.code`) by which anything held here may refer to another resource."""
        every = (parameter for kind in sorted(self.held) for parameter in parameters_for(kind).values())
        return tuple(dict.fromkeys(p.key for p in every if p.type == "reference" and not p.of))

    @cached_property
    def catalogue(self) -> Catalogue:
        """What the service says about itself: value sets, profiles, search parameters, operations."""
        return catalogue_of(self.service)

    def desk(self, caller: Caller, reader: Reader | None = None) -> LiveDesk:
        """A fresh desk for one act."""
        return LiveDesk(
            reader or self.store.pool,
            searcher=reader or self.store.searches,
            types=self.held,
            letter=self.service.letter,
            now=self.now(),
            caller=caller,
            settings=self.settings,
            zone=self.zone,
            seals=self.seals,
            vault=Safe(self.secrets),
            accounts=self.accounts,
        )

    def within(self, connection: Any) -> Kernel:
        """The same service as an open transaction sees it: every read and its audit row go through this connection."""
        return replace(self, store=Store(cast(asyncpg.Pool, OneConnection(connection)), self.store.schema))

    def rows(self, resource: Resource) -> Rows:
        """What is searched and counted of a resource."""
        found = rows(resource, self.zone)
        found.counted.extend(self.service.counts(resource, self.zone))
        return found

    def now(self) -> datetime:
        """The present moment to the millisecond: what is stored is what is told."""
        moment = self.clock.now()
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def kept(self, resource_type: str) -> Keeps:
        """The declaration of a kept type; 404 names who keeps it otherwise."""
        keeps = self._keepers.get(resource_type)
        if keeps:
            return keeps
        owner = self.owners.get(resource_type)
        if owner and owner != self.service.name:
            raise refusal(
                404,
                "not-supported",
                f"{resource_type} is kept by the {owner} service, not by {self.service.name}.",
                f"{resource_type} 由 {owner} 服务保管，不在 {self.service.name} 服务。",
                at=resource_type,
                detail="kernel.kept-elsewhere",
            )
        kept = ", ".join(sorted(k.type for k in self.service.keeps))
        raise refusal(
            404,
            "not-supported",
            f"Resource type {resource_type[:64]} is not kept here; kept: {kept}.",
            f"此处不保管资源类型 {resource_type[:64]}；保管的类型：{kept}。",
            detail="kernel.type-not-kept",
        )


@dataclass(slots=True)
class Context:
    """One request: who asks, in which language, and what stands in its audit row."""

    caller: Caller
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    language: str = "zh-CN"
    prefer: str = ""
    body_sha256: str = ""
    purpose: str = ""  # why, as a code of v3-ActReason; "" is the ordinary case

    @property
    def imported(self) -> bool:
        """Whether history is being loaded."""
        return self.caller.has("slipring/import")

    @property
    def lenient(self) -> bool:
        """Prefer: handling=lenient."""
        return bool(self.prefer) and preferences(self.prefer).get("handling") == "lenient"

    @property
    def returns(self) -> str:
        """Prefer: return = minimal, representation or OperationOutcome; "" when nothing is said."""
        return preferences(self.prefer).get("return", "") if self.prefer else ""

    def demand(self, resource_type: str, letter: str) -> None:
        """403 unless a scope grants the interaction."""
        if not self.caller.allows(resource_type, letter):
            raise forbidden(
                f"The token lacks the scope system/{resource_type}.{letter}.",
                f"令牌缺少权限 system/{resource_type}.{letter}。",
                detail="kernel.scope-missing",
            )

    def audit(
        self,
        interaction: str,
        resource: str,
        outcome: int = 200,
        *,
        disclosed: list[str] | None = None,
        parameters: list[str] | None = None,
        stored_sha256: str = "",
    ) -> Audit:
        """The audit row of this request for one resource."""
        return Audit(
            client=self.caller.client,
            practitioner=self.caller.practitioner or "",
            interaction=interaction,
            resource=resource,
            request_id=self.request_id,
            outcome=outcome,
            body_sha256=self.body_sha256,
            disclosed=disclosed or [],
            parameters=parameters or [],
            stored_sha256=stored_sha256,
            purpose=self.purpose or (BREAK_GLASS if self.caller.emergency else ""),
        )


__all__ = ["Context", "FhirError", "Kernel"]
