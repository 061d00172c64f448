"""Who is asking: staff, tokens, authentication, permissions; clients, people and tokens by REST (contract 1, 12)."""
