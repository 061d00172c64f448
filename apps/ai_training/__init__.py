"""Who trains what, and how did it go? Templates, plans, the queue, runs, AI Move, reports (003, contract 8)."""
