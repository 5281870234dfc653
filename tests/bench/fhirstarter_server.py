"""The rival: fhirstarter with resources in a dictionary; runs in an environment of its own.

It parses and validates by its models and writes them out again; it stores nothing durable, checks no token, keeps no
versions, search rows or audit.
"""

from __future__ import annotations

import uuid

from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhirstarter import FHIRProvider, FHIRStarter, InteractionContext
from fhirstarter.exceptions import FHIRResourceNotFoundError

_STORE: dict[str, MedicationRequest] = {}
provider = FHIRProvider()


@provider.create(MedicationRequest)
async def create(context: InteractionContext, resource: MedicationRequest) -> MedicationRequest:
    """Keep it under a new id."""
    resource.id = str(uuid.uuid4())
    _STORE[resource.id] = resource
    return resource


@provider.read(MedicationRequest)
async def read(context: InteractionContext, id_: str) -> MedicationRequest:
    """Give it back."""
    if id_ not in _STORE:
        raise FHIRResourceNotFoundError
    return _STORE[id_]


app = FHIRStarter()
app.add_providers(provider)
