"""The whole site in a folder of its own: what deploy/ says, with only names, ports and paths exchanged."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from tests.deploy.process import Process, find_free_ports, listens
from tests.needs import find_program

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "deploy"
# What systemd leaves of root's powers by CapabilityBoundingSet and AmbientCapabilities.
ONE_POWER = (
    "--bounding-set=-all,+net_raw",
    "--inh-caps=-all,+net_raw",
    "--ambient-caps=-all,+net_raw",
    "--no-new-privs",
)


class Deployment:
    """A running site. `origin` is its address behind nginx, `sockets` those of its web processes."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pingsite-")
        self.folder = Path(self._folder.name)
        # nginx and PostgreSQL work as users of their own.
        self.folder.chmod(0o755)
        self.port, self.http_port, redis_port = find_free_ports(3)
        self.origin = f"https://localhost:{self.port}"
        self.certificate = self.folder / "fullchain.pem"
        self.redis_address = ("127.0.0.1", redis_port)
        self.database = self.folder / "database"
        self.listener = self.folder / "postgresql"
        self.env = self._read_environment()
        self.sockets = [self.folder / f"run/{number}/web.sock" for number in (1, 2)]
        self.web = [self._make_web(number) for number in (1, 2)]
        self.postgres = self._make_postgres()
        self.redis = Process(
            [found("redis-server"), "--port", str(redis_port), "--save", "", "--dir", self.folder],
            self.folder / "redis.log",
        )
        self.nginx = Process(
            [found("nginx"), "-c", self.folder / "nginx.conf", "-g", "daemon off;"], self.folder / "nginx.log"
        )
        self.first_words = ""

    def start(self) -> None:
        """Start everything in the order of the units."""
        self._make_database()
        self.start_redis()
        self.run_manage("collectstatic", "--noinput", "--verbosity", "0")
        self.first_words = self.run_manage("prepare")
        for number in (0, 1):
            self.start_web(number)
        self._write_nginx()
        self.nginx.start(lambda: listens(("127.0.0.1", self.port)))

    def end(self) -> None:
        """End everything and leave nothing."""
        for process in (self.nginx, *self.web, self.redis):
            process.end()
        if self.postgres.runs:
            self.stop_postgres()
        self._folder.cleanup()

    def start_web(self, number: int) -> None:
        """Start a web process, after whatever end it had."""
        self.sockets[number].unlink(missing_ok=True)
        self.web[number].start(lambda: listens(self.sockets[number]))

    def start_redis(self) -> None:
        """Start Redis."""
        self.redis.start(lambda: listens(self.redis_address))

    def start_postgres(self) -> None:
        """Start PostgreSQL, on the data that are there."""
        ask = [find_postgres("pg_isready"), "-q", "-h", self.listener]
        self.postgres.start(lambda: subprocess.run(ask, check=False).returncode == 0)

    def stop_postgres(self) -> None:
        """End PostgreSQL "fast": it does not wait for those who are connected."""
        self.postgres.signal(signal.SIGINT)

    def crash_postgres(self) -> None:
        """End PostgreSQL as a fault would: at once, and nothing is put in order."""
        self.postgres.signal(signal.SIGQUIT)

    def open_database(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of our own to the site's database."""
        return psycopg.connect(dbname="pingsite", host=str(self.listener), user="root")

    def run_manage(self, *arguments: str, **env: str) -> str:
        """Run a management command as the units do; what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        settings = {"env": self.env | env, "cwd": ROOT}
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, **settings)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _read_environment(self) -> dict[str, str]:
        text = exchange(
            (FILES / "pingsite.env").read_text(),
            {
                "https://ping.example.org": self.origin,
                "/var/lib/pingsite": f"{self.folder}/data",
                "/var/cache/pingsite": f"{self.folder}/static",
                "127.0.0.1:6379": f"127.0.0.1:{self.redis_address[1]}",
            },
        )
        (self.folder / "static").mkdir()
        (self.folder / "static").chmod(0o755)
        given = dict(re.findall(r"(?m)^([A-Z_]+)=(.*)$", text))
        return read_surroundings() | given | {"PGHOST": str(self.listener), "PGUSER": "root"}

    def _make_web(self, number: int) -> Process:
        self.sockets[number - 1].parent.mkdir(parents=True)
        places = {"/run/pingsite/%i": str(self.sockets[number - 1].parent)}
        return self._make_unit("pingsite-web@.service", f"web-{number}.log", places)

    def make_watcher(self, number: int) -> Process:
        """A watcher, not started yet."""
        return self._make_unit("pingsite-watch.service", f"watch-{number}.log", {})

    def _make_unit(self, name: str, log: str, places: dict[str, str]) -> Process:
        unit = (FILES / name).read_text().replace("\\\n", "")
        command = re.search(r"(?m)^ExecStart=(.*)$", unit)
        assert command
        words = exchange(command[1], {"/opt/pingsite/.venv/bin/python": sys.executable} | places)
        powers = [found("setpriv"), *ONE_POWER] if os.geteuid() == 0 else []
        return Process([*powers, *shlex.split(words)], self.folder / log, env=self.env, cwd=ROOT)

    def _make_postgres(self) -> Process:
        options = {"listen_addresses": "", "unix_socket_directories": self.listener, "fsync": "off"}
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        command = [find_postgres("postgres"), "-D", self.database, *settings]
        return Process(command, self.folder / "postgres.log", user="postgres", cwd=self.folder)

    def _make_database(self) -> None:
        for folder in (self.database, self.listener):
            folder.mkdir()
            shutil.chown(folder, "postgres")
        initialise = [find_postgres("initdb"), "-D", self.database, "-A", "trust", "-U", "root", "--no-sync"]
        subprocess.run(
            initialise, check=True, capture_output=True, cwd="/", user="postgres", group="postgres", extra_groups=[]
        )
        self.start_postgres()
        create = [find_postgres("createdb"), "-h", self.listener, "-U", "root", "pingsite"]
        subprocess.run(create, check=True, capture_output=True)

    def _write_nginx(self) -> None:
        key = self.folder / "privkey.pem"
        subprocess.run(
            [found("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
             "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", key, "-out", self.certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        site = exchange(
            (FILES / "nginx.conf").read_text(),
            {
                "listen 80;": f"listen 127.0.0.1:{self.http_port};",
                "listen [::]:80;": "",
                "listen 443 ": f"listen 127.0.0.1:{self.port} ",
                "listen [::]:443 ssl http2;": "",
                "/etc/letsencrypt/live/ping.example.org/fullchain.pem": str(self.certificate),
                "/etc/letsencrypt/live/ping.example.org/privkey.pem": str(key),
                "https://ping.example.org": self.origin,
                "server_name ping.example.org": "server_name localhost",
                "/var/log/nginx/pingsite.log": f"{self.folder}/access.log",
                "/var/cache/pingsite": f"{self.folder}/static",
                "/run/pingsite": f"{self.folder}/run",
            },
        )
        (self.folder / "site.conf").write_text(site)
        (self.folder / "nginx.conf").write_text(
            f"pid {self.folder}/nginx.pid; error_log stderr; events {{}}\n"
            f"http {{ include /etc/nginx/mime.types; include {self.folder}/site.conf; }}\n"
        )


def read_surroundings() -> dict[str, str]:
    """The environment without any setting of a site."""
    ours = ("PINGSITE_", "DATABASE_URL", "REDIS_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def exchange(text: str, pairs: dict[str, str]) -> str:
    """Replace each key by its value; a key that is not there means that the file has changed."""
    for old, new in pairs.items():
        assert old in text, f"{old!r} is not there any more"
        text = text.replace(old, new)
    return text


def found(program: str) -> str:
    """The path of a program that the test has asked for with `need`."""
    path = find_program(program)
    assert path, program
    return path


def find_postgres(program: str) -> str:
    """The path of one of PostgreSQL's programs, which Debian keeps out of the way; "" where there is none."""
    paths = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}")) or [Path(find_program(program) or "")]
    return str(paths[-1]) if paths[-1].name else ""
