"""HTML to PDF by WeasyPrint. Nothing is fetched while it is made: a page carries its images in itself (`data:`).

WeasyPrint needs Pango and fonts of the system; where they are not installed a page is printed by the browser instead.
"""

from __future__ import annotations

import asyncio
from functools import cache
from threading import Lock

# Pango keeps what it knows of fonts for the whole process; two pages at once would share it.
_ONE_AT_A_TIME = Lock()
INSTALL = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-cjk"


class NoPrinter(Exception):
    """The system's libraries that a PDF needs are not installed; the message says how to install them."""


def pdf_of(html: str) -> bytes:
    """The page as PDF, with its fonts inside; raises NoPrinter where it cannot be made."""
    if not can_print():
        raise NoPrinter(INSTALL)
    from weasyprint import HTML  # opens the system's libraries
    from weasyprint.urls import URLFetcher

    with _ONE_AT_A_TIME:
        fetcher = URLFetcher(allowed_protocols=["data"], allow_redirects=False)
        pdf: bytes = HTML(string=html, base_url="about:blank", url_fetcher=fetcher).write_pdf(pdf_tags=True)
        return pdf


@cache
def foreseen() -> None:
    """Load the printer beside what goes on, so that the first page does not wait a second for it; once for each process."""
    asyncio.get_running_loop().run_in_executor(None, can_print)


@cache
def can_print() -> bool:
    """Whether this machine has what a PDF needs; looked at once."""
    try:
        import weasyprint  # noqa: F401 - opens the system's libraries
    except (ImportError, OSError):
        return False
    return True
