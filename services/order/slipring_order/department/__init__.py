"""The department's own records: staff, licences, rooms, devices, checks, and what of them falls due."""
