"""What happened: the transactional outbox, its relay, dead letters, webhooks."""
