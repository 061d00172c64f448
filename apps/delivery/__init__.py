"""/api/v1: courses and their versions, who takes them, and how far each person has come."""
