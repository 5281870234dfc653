"""Nobody is booked on a scanner whose table does not bear him."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.rooms.facts import TableFacts


@rule("order.table-load", clause="CL02-A011:5.5.3", weight="ask")
def the_table_bears_the_patient(table: TableFacts, limits: Limits, now: datetime) -> Hit | None:
    """A patient who is heavier than the table of the scanner may bear is looked at before he comes.

    The scanner's own figure counts before the department's default. Who was never weighed is not asked about.
    """
    limit = None if table.stated_kg is not None else limits.limit("scanner.table-load")
    bears = table.stated_kg if limit is None else Decimal(str(limit.value))
    if table.weight_kg is None or bears is None or table.weight_kg <= bears:
        return None
    return Hit(
        f"患者体重 {table.weight_kg:f} kg，超过该 CT 检查床的承重 {bears:f} kg：请核对体重，或改约其他设备。",
        f"The patient weighs {table.weight_kg:f} kg, the table of this scanner bears {bears:f} kg: "
        "check the weight, or book another scanner.",
        at="Task.owner",
        inputs={"weight_kg": f"{table.weight_kg:f}", "bears_kg": f"{bears:f}"},
        limit=limit,
    )
