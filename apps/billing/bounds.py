"""How big may a number of ours be? Sums of what is allowed here stay within 64 bits."""

MOST_CALLS = 2**31 - 1
"""Of a rate, and of a burst."""

MOST_EVENTS = 2**63 - 1
"""Of a quota."""

MOST_PRICE = 10**12
"""Of one event, in credits: a client that may owe can do it nine million times."""

MOST_CREDITS = 10**15
"""Of one grant."""

MOST_RECEIVED = 10**18
"""Of all grants of a client that have not expired."""
