"""Images against the order: what their headers say of patient, number, part and side, held against the request."""
