"""The tables of one service's schema; every service has the same (decision: no private tables).

Followed copies live beside kept resources and differ by `source`. Search rows hang on `resource.key`.
"""

from slipring.fhir.store.tables import clients, counted, delivery, facts, people, resources, trail  # noqa: F401 - each makes its tables
from slipring.fhir.store.tables.table import Table

metadata = Table.metadata
