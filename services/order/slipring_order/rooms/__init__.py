"""Scanners, their days, and what stands between a justified exam and an acquired one."""
