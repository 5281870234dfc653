"""What a caller can ask of a case; each room's operations stand in a file of its name."""

from slipring_critical.operations.answering import ANSWERING
from slipring_critical.operations.cases import CASES
from slipring_critical.operations.directory import DIRECTORY
from slipring_critical.operations.indicators import INDICATORS
from slipring_critical.operations.links import LINKS
from slipring_critical.operations.replies import REPLIES
from slipring_critical.operations.routes import ROUTES
from slipring_critical.operations.telling import TELLING

OPERATIONS = [*ANSWERING, *DIRECTORY, *CASES, *INDICATORS, *LINKS, *REPLIES, *ROUTES, *TELLING]
