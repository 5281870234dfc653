"""Paper: what is printed is an HTML page, and a PDF of the same page."""
