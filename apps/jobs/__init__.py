"""What is to be done that takes long: jobs, how far they are, and that each is done once."""
