"""The checks of a report's text, one to a file; each takes the report and its sections as read and yields faults."""
