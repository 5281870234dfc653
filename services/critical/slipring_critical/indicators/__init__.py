"""Indicators: how critical findings were told in a period, counted from the cases themselves."""
