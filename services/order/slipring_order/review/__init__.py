"""Whether indications were met, by requester and department over a period (CL02-A011:4.14.2)."""
