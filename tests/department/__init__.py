"""The pages of the department, as the people see them who work there."""
