"""The doors of this room, one module a noun: sessions, and what administrators do (courses)."""
