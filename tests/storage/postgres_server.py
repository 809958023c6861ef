"""A throw-away PostgreSQL server for tests: made in a folder of its own, run as a user that is not root, ended by its id."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT
ADVICE = "install it (Debian: apt-get install postgresql) to run these tests"


def missing() -> str | None:
    """Why no server can be started here; None when one can."""
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        return f"psycopg is not installed ({error}): pip install 'luma-bench[connect]'"
    if _program("initdb") is None or _program("postgres") is None:
        return f"there is no PostgreSQL server on this machine: {ADVICE}"
    if os.geteuid() == 0 and _account() is None:
        return "PostgreSQL does not run as root, and there is no account 'postgres' or 'nobody' to run it as"
    return None


def _program(name: str) -> str | None:
    """Debian keeps the server's programs outside PATH."""
    kept = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(kept[-1]) if kept else None)


def _account() -> pwd.struct_passwd | None:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


class PostgresServer:
    """One server with the database `luma`; `admin` comes in through the socket, others over TCP with a password."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="luma-pg-"))
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        account = _account() if os.geteuid() == 0 else None
        self._as = (
            {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        )
        if account is not None:
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        command = [str(_program("initdb")), "-D", str(self._data), "-U", "admin", "-A", "trust", "-E", "UTF8"]
        command += ["--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        made = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=self.folder, **self._as
        )
        assert made.returncode == 0, made.stdout + made.stderr
        rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        (self._data / "pg_hba.conf").write_text(rules)
        self.start()
        self.run("CREATE DATABASE luma", database="postgres")

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def url(self, schema: str | None = None, database: str = "luma") -> str:
        """Where a catalog is on this server, through its socket."""
        name = "" if schema is None else f"&schema={schema}"
        return f"postgresql://admin@/{database}?host={self.folder}&port={self.port}{name}"

    def start(self) -> None:
        """Start it and wait until it lets clients in. It syncs to disk: losing a commit is what tests look for."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "fsync": "on",
            "shared_buffers": "32MB",
            "max_connections": 200,
            "max_wal_size": "256MB",
            "log_min_messages": "fatal",
        }
        options = [item for name, value in settings.items() for item in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(_program("postgres")), "-D", str(self._data), *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._as,
            )
        import psycopg

        for _ in range(600):
            assert self._process.poll() is None, (self.folder / "log").read_text()
            try:
                psycopg.connect(self.url(database="postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self, how: signal.Signals = FAST) -> None:
        """End it: FAST undoes what runs and says good-bye, IMMEDIATE is a crash that the next start recovers from."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(60)
        self._process = None

    def run(self, statement: str, database: str = "luma") -> list[tuple[object, ...]]:
        """Run a statement as the administrator and give its rows."""
        import psycopg

        with psycopg.connect(self.url(database=database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """End it and remove its folder."""
        if self._process is not None:
            self.stop(IMMEDIATE)
        shutil.rmtree(self.folder)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
