"""What the department offers: the exams of the catalogue with preparation and protocols, as resources that it may edit."""
