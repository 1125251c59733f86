"""Settings are read strictly: a value that makes no sense stops the start with a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def manage(tmp_path: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PINGSITE_")}
    environment |= {"PINGSITE_DATA": str(tmp_path / "data")} | variables
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PINGSITE_RUNS_PER_MINUTE", "many"), ("PINGSITE_RUNS_PER_MINUTE", "-1"), ("PINGSITE_RUNS_PER_MINUTE", "1.5"),
        ("PINGSITE_PACKETS_PER_SECOND", "nan"), ("PINGSITE_TIMEOUT", "0"), ("PINGSITE_THREADS", "0"),
        ("PINGSITE_THREADS", "٣"), ("PINGSITE_ANONYMOUS_MAY_PING", "everything"), ("PINGSITE_ENGINE", "fast"),
        ("PINGSITE_ORIGINS", "ping.example.org"), ("PINGSITE_ORIGINS", "https://ping.example.org/home"), ("PINGSITE_KEEP_DAYS", ""),
        ("PINGSITE_PORT", "99999"), ("PINGSITE_LOG_LEVEL", "loud"), ("DATABASE_URL", "mysql://x/y"), ("REDIS_URL", "localhost:6379"),
        ("PINGSITE_DATA", "/proc/pingsite"),
    ],
)  # fmt: skip
def test_a_value_that_makes_no_sense_stops_the_start_with_one_sentence(tmp_path: Path, name: str, value: str) -> None:
    ended = manage(tmp_path, "check", **{name: value})
    assert ended.returncode == 1
    assert ended.stderr.startswith("pingsite: ")
    assert len(ended.stderr.splitlines()) == 1
    assert name in ended.stderr or value in ended.stderr


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
