"""What can be played: lessons, their timeline, a client's shelf (002, contract 4)."""
