"""Settings are read strictly: a value that makes no sense stops the start with a sentence."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from pingsite import environment

ROOT = Path(__file__).parent.parent.parent


def manage(tmp_path: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PINGSITE_")}
    environment |= {"PINGSITE_DATA": str(tmp_path / "data"), "DATABASE_URL": "", "REDIS_URL": ""} | variables
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def show(tmp_path: Path, setting: str, **variables: str) -> str:
    """The value of a setting, read in a process of its own."""
    ended = manage(
        tmp_path,
        "shell",
        "--verbosity",
        "0",
        "-c",
        f"from django.conf import settings; print(repr({setting}))",
        **variables,
    )
    assert ended.returncode == 0, ended.stderr
    return str(ast.literal_eval(ended.stdout))


def assert_one_sentence(ended: subprocess.CompletedProcess[str]) -> None:
    assert ended.returncode == 1
    assert ended.stderr.startswith("pingsite: ")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PINGSITE_RUNS_PER_MINUTE", "many"), ("PINGSITE_RUNS_PER_MINUTE", "-1"), ("PINGSITE_RUNS_PER_MINUTE", "1.5"),
        ("PINGSITE_PACKETS_PER_SECOND", "nan"), ("PINGSITE_TIMEOUT", "0"), ("PINGSITE_THREADS", "0"),
        ("PINGSITE_THREADS", "٣"), ("PINGSITE_ANONYMOUS_MAY_PING", "everything"), ("PINGSITE_ENGINE", "fast"),
        ("PINGSITE_ORIGINS", "ping.example.org"), ("PINGSITE_ORIGINS", "https://ping.example.org/home"), ("PINGSITE_KEEP_DAYS", ""),
        ("PINGSITE_PORT", "99999"), ("PINGSITE_LOG_LEVEL", "loud"), ("DATABASE_URL", "mysql://x/y"), ("REDIS_URL", "localhost:6379"),
        ("PINGSITE_DATA", "/proc/pingsite"), ("PINGSITE_DEFAULT_HOST", "-f"), ("PINGSITE_DEFAULT_HOST", ""),
    ],
)  # fmt: skip
def test_a_value_that_makes_no_sense_stops_the_start_with_one_sentence(tmp_path: Path, name: str, value: str) -> None:
    ended = manage(tmp_path, "check", **{name: value})
    assert_one_sentence(ended)
    assert name in ended.stderr or value in ended.stderr


@pytest.mark.parametrize("value", ["1_0", "٣", "nan", "inf", "1e1", "", "9" * 5000, "-1", "+1", "1 0"])
def test_a_number_is_written_in_digits(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PINGSITE_THREADS", value)
    with pytest.raises(ImproperlyConfigured, match="PINGSITE_THREADS must be a whole number from 1 to 1024"):
        environment.read_integer("THREADS", 64, least=1, most=1024)
    with pytest.raises(ImproperlyConfigured, match="PINGSITE_THREADS must be a number from 1 to 1024"):
        environment.read_number("THREADS", 64, least=1, most=1024)


@pytest.mark.parametrize("value", ["0.5", ".5", " 0.50 "])
def test_a_number_may_have_a_fraction(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PINGSITE_TIMEOUT", value)
    assert environment.read_number("TIMEOUT", 2.0, least=0.1, most=10) == 0.5


@pytest.mark.parametrize(
    "url",
    [
        "sqlite", "sqlite:", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://:memory:", "sqlite:///file::memory:",
        "sqlite://folder/x.sqlite3", "postgres", "postgres://", "postgres://h", "postgres://u@h:notaport/x", "postgres://u@[h/x",
        "postgres://u@h:99999/x", "mysql://h/x", "SQLITE:///x", "://",
    ],
)  # fmt: skip
def test_a_database_without_a_name_or_with_an_odd_port_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL must"):
        environment.read_database("DATABASE_URL", "")


@pytest.mark.parametrize(
    "url", ["redis", "redis:", "redis:/h", "redis://h:notaport", "redis://h:65536", "redis://[h", "http://h"]
)
def test_a_channel_layer_at_an_odd_address_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL must begin with redis:// or unix://, and its port"):
        environment.read_url("REDIS_URL", "", ("redis", "unix"))


def test_a_refused_address_keeps_its_password_to_itself(tmp_path: Path) -> None:
    ended = manage(tmp_path, "check", DATABASE_URL="postgres://u:hunter2@h:notaport/x")
    assert_one_sentence(ended)
    assert "DATABASE_URL" in ended.stderr
    assert "hunter2" not in ended.stderr


@pytest.mark.parametrize(
    "origin",
    [
        "https://Ping.Example.ORG", "HTTPS://ping.example.org", "https://h:443", "http://h:80", "https://u:p@h", "https://u@h",
        "https://h:99999", "https://h:", "https://h:08443", "https://a b", "*", "https://*", "https://.example.org", "https://h.",
        "https://[bad", "https://[::1", "https://[0::1]", "https://[::1%25lo]", "https://::1", "http://핑.kr", "https://h_h",
        "https://h/", "https://h?", "https://h#", "ftp://h", "https://", "null", "https://127.1", "h",
    ],
)  # fmt: skip
def test_an_origin_that_no_browser_writes_is_refused(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("PINGSITE_ORIGINS", f"https://ping.example.org,{origin}")
    with pytest.raises(ImproperlyConfigured, match="PINGSITE_ORIGINS must be origins such as"):
        environment.read_origins("ORIGINS")


def test_every_origin_is_a_host_that_is_answered(tmp_path: Path) -> None:
    origins = (
        "https://ping.example.org, http://xn--tp2b.kr:8080 ,https://[2001:db8::1],http://[::1]:8443,http://192.0.2.1,"
    )
    hosts = ["ping.example.org", "xn--tp2b.kr", "[2001:db8::1]", "[::1]", "192.0.2.1"]
    assert show(tmp_path, "settings.ALLOWED_HOSTS[3:]", PINGSITE_ORIGINS=origins) == str(hosts)


def test_a_dollar_in_a_secret_is_a_dollar(tmp_path: Path) -> None:
    shown = show(
        tmp_path,
        "(settings.SECRET_KEY, settings.DATABASES['default']['PASSWORD'])",
        PINGSITE_SECRET_KEY="$hunter2",
        DATABASE_URL="postgres://u:$HOME@h/x",
    )
    assert shown == "('$hunter2', '$HOME')"


def test_an_empty_folder_is_the_default_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PINGSITE_DATA", " ")
    assert environment.read_folder("DATA", tmp_path / "default") == tmp_path / "default"
    assert (tmp_path / "default").is_dir()


def test_the_database_lies_in_the_data_folder_whatever_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "50%25 + ä? #1"
    shown = show(tmp_path, "settings.DATABASES['default']['NAME']", PINGSITE_DATA=str(folder))
    assert shown == str(folder / "pingsite.sqlite3")


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_key_that_is_none_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "secret_key").write_bytes(content)
    ended = manage(tmp_path, "check")
    assert_one_sentence(ended)
    assert "delete the file" in ended.stderr


def test_without_psycopg_the_line_that_installs_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['psycopg'] = None\n")
    ended = manage(tmp_path, "prepare", PYTHONPATH=str(tmp_path), DATABASE_URL="postgres:///pingsite")
    assert_one_sentence(ended)
    assert ".venv/bin/python -m pip install --require-hashes -r requirements-postgres.txt" in ended.stderr


def test_nothing_can_be_pruned_before_there_are_tables(tmp_path: Path) -> None:
    ended = manage(tmp_path, "prune")
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "CommandError: Nothing was pruned: no such table: monitor_run (manage.py prepare makes the tables)."
    ]
    assert manage(tmp_path, "prepare").returncode == 0
    assert manage(tmp_path, "prune").stdout == "0 runs deleted\n"


@pytest.mark.parametrize("command", ["doctor", "serve"])
@pytest.mark.parametrize("port", ["999999", "65536", "-1", "8_0", "http"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, command: str, port: str) -> None:
    ended = manage(tmp_path, command, f"--port={port}")
    assert ended.returncode == 2
    assert ended.stderr.endswith(f"argument --port: a port is a whole number from 0 to 65535; this is {port!r}\n")
    assert "Traceback" not in ended.stderr


def test_a_default_host_that_is_none_stops_the_start(tmp_path: Path) -> None:
    ended = manage(tmp_path, "check", PINGSITE_DEFAULT_HOST="-f")
    assert ended.returncode == 1
    assert "PINGSITE_DEFAULT_HOST" in ended.stderr


def test_a_misspelt_setting_is_pointed_out(tmp_path: Path) -> None:
    ended = manage(tmp_path, "check", PINGSITE_RUN_PER_MINUTE="3")
    assert ended.returncode == 0
    assert "PINGSITE_RUNS_PER_MINUTE" in ended.stderr


def test_the_data_folder_and_the_key_are_for_nobody_else(tmp_path: Path) -> None:
    assert manage(tmp_path, "check").returncode == 0
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    key = tmp_path / "data" / "secret_key"
    assert key.stat().st_mode & 0o777 == 0o600
    text = key.read_text()
    assert len(text) > 50
    manage(tmp_path, "check")
    assert key.read_text() == text


def test_a_deployed_site_passes_the_deployment_checks(tmp_path: Path) -> None:
    ended = manage(
        tmp_path, "check", "--deploy", "--fail-level", "WARNING", PINGSITE_ORIGINS="https://ping.example.org"
    )
    assert ended.returncode == 0, ended.stderr


def test_a_database_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    ended = manage(tmp_path, "prepare", DATABASE_URL=f"sqlite:///{tmp_path}/nowhere/x.sqlite3")
    assert ended.returncode == 1
    assert "cannot be opened" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_doctor_finds_a_missing_migration_and_names_the_cure(tmp_path: Path) -> None:
    sick = manage(tmp_path, "doctor", "--port", "0")
    assert sick.returncode == 1
    assert "cure: manage.py migrate" in sick.stdout
    assert manage(tmp_path, "prepare").returncode == 0
    well = manage(tmp_path, "doctor", "--port", "0")
    assert "✓ database" in well.stdout
    assert "✓ layer" in well.stdout
