"""The operations of report, as the service declares them: one file per room."""
