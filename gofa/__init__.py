"""How the rooms are wired into one product."""
