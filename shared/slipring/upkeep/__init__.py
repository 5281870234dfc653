"""Keeping an installation: backup, restore, the doctor, local codes and erasing after the retention term."""
