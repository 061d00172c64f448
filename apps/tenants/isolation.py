"""How does a table keep tenants apart? Two migration operations that switch row-level security on."""

from typing import Any

from django.db.migrations.operations import RunSQL

# One InitPlan a statement: evaluated once, the index on client_id kept (quality.md, fact 5).
_BOUND = "(SELECT NULLIF(current_setting('app.client_id', true), ''))"


def isolate(table: str, *, library: bool = False) -> RunSQL:
    """Rows are seen and written by the bound client alone; FORCE holds the owner to it too.

    A `library` table also shows the rows of client `gofa` to everybody, to read only.
    """
    own = f"client_id = {_BOUND} OR {_BOUND} = '*'"
    forward: list[Any] = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY own_rows ON {table} USING ({own}) WITH CHECK ({own})",
    ]
    backward: list[Any] = [
        f"DROP POLICY own_rows ON {table}",
        f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    ]
    if library:
        forward.append(
            f"CREATE POLICY library_rows ON {table} FOR SELECT USING (client_id = 'gofa' AND {_BOUND} IS NOT NULL)"
        )
        backward.insert(0, f"DROP POLICY library_rows ON {table}")
    return RunSQL(forward, backward)
