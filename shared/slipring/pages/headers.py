"""The headers of a page: nothing from outside is loaded, no frame shows it, no cache keeps it."""

from __future__ import annotations

from collections.abc import Sequence

_POLICY = (
    ("default-src", "'none'"),
    ("style-src", "'self'"),
    ("script-src", "'self'"),
    ("img-src", "'self'"),
    ("font-src", "'self'"),
    ("connect-src", "'self'"),
    ("base-uri", "'none'"),
    ("frame-ancestors", "'none'"),
)
_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # "no-referrer" would take the Origin from our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cache-Control": "no-store",
    "Vary": "Cookie, Accept-Language",
}
_A_YEAR_SECONDS = 31_536_000


def page_headers(*, secure: bool, forms_lead_to: Sequence[str] = ()) -> dict[str, str]:
    """The headers of one page.

    `forms_lead_to`: origins that an answer to a form may send the browser on to (browsers hold a form to them).
    """
    policy = "; ".join(f"{name} {value}" for name, value in _POLICY)
    to = " ".join(["'self'", *forms_lead_to])
    headers = {**_FIXED, "Content-Security-Policy": f"{policy}; form-action {to}"}
    if secure:
        headers["Strict-Transport-Security"] = f"max-age={_A_YEAR_SECONDS}"
    return headers
