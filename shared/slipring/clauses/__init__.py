"""The clause register of CNAS-CL02-A011:2018 as data."""
