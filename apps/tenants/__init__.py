"""Who the client is: clients, their people, and the row-level security that keeps them apart; no HTTP."""
