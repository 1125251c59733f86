"""The systemd units: valid, hardened, started at boot, and of one mind with the rest of deploy/."""

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.deployment import FILES, exchange, found
from tests.needs import need

UNITS = ("pingsite.target", "pingsite-prepare.service", "pingsite-web@.service", "pingsite-watch.service")
SERVICES = UNITS[1:]
PINGING = SERVICES[1:]
HARDENING = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "MemoryDenyWriteExecute": "yes",
    "SystemCallFilter": "@system-service",
    "StateDirectory": "pingsite",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The units with a Python that is here."""
    for name in UNITS:
        text = (FILES / name).read_text()
        if name in SERVICES:
            text = exchange(text, {"/opt/pingsite/.venv/bin/python": sys.executable})
        (tmp_path / name).write_text(text)
    return tmp_path


def read(name: str) -> configparser.RawConfigParser:
    """A unit's sections; of a key that stands there twice, the last."""
    unit = configparser.RawConfigParser(strict=False, delimiters="=", comment_prefixes="#", interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string((FILES / name).read_text().replace("\\\n", ""))
    return unit


def test_systemd_understands_every_line(folder: Path) -> None:
    need("systemd-analyze")
    names = [folder / name.replace("@", "@1") for name in UNITS]
    (folder / "pingsite-web@1.service").write_text((folder / "pingsite-web@.service").read_text())
    env = {"SYSTEMD_UNIT_PATH": f"{folder}:"}
    verify = [found("systemd-analyze"), "--recursive-errors=no", "verify", *names]
    done = subprocess.run(verify, check=False, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_systemd_finds_little_exposed(folder: Path, name: str) -> None:
    need("systemd-analyze")
    rate = [found("systemd-analyze"), "security", "--offline=yes", "--threshold=25", folder / name]
    done = subprocess.run(rate, check=False, capture_output=True, text=True, timeout=60)
    if "offline" in done.stderr:
        pytest.skip("this systemd-analyze rates running units only")
    assert done.returncode == 0, done.stdout[-200:]


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_hardened(name: str) -> None:
    service = read(name)["Service"]
    assert {key: service.get(key) for key in HARDENING} == HARDENING


@pytest.mark.parametrize("name", PINGING)
def test_a_process_that_pings_may_do_nothing_else(name: str) -> None:
    service = read(name)["Service"]
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == "CAP_NET_RAW"


def test_preparing_needs_no_capability() -> None:
    assert read("pingsite-prepare.service")["Service"]["CapabilityBoundingSet"] == ""


@pytest.mark.parametrize("name", PINGING)
def test_a_process_that_pings_comes_back_and_ends_in_order(name: str) -> None:
    service = read(name)["Service"]
    expected = {"Restart": "always", "KillMode": "mixed", "TimeoutStopSec": "15"}
    assert {key: service[key] for key in expected} == expected


@pytest.mark.parametrize("name", PINGING)
def test_the_site_starts_at_boot_and_prepares_once(name: str) -> None:
    assert read("pingsite.target")["Install"]["WantedBy"] == "multi-user.target"
    unit = read(name)
    assert unit["Install"]["WantedBy"] == unit["Unit"]["PartOf"] == "pingsite.target"
    assert "pingsite-prepare.service" in unit["Unit"]["Wants"].split()
    assert "pingsite-prepare.service" in unit["Unit"]["After"].split()
    assert "prepare" not in unit["Service"]["ExecStart"]


def test_the_watcher_is_as_hardened_as_a_web_process() -> None:
    texts = [(FILES / name).read_text() for name in PINGING]
    web, watch = (text[text.index("CapabilityBoundingSet") :] for text in texts)
    assert web == watch


def test_hosts_are_watched_by_the_command_that_watches() -> None:
    service = read("pingsite-watch.service")["Service"]
    assert service["ExecStart"].endswith(" manage.py watch")


def test_nginx_waits_longer_than_the_server_is_silent() -> None:
    interval = re.search(r"--ping-interval (\d+)", read("pingsite-web@.service")["Service"]["ExecStart"])
    wait = re.search(r"proxy_read_timeout (\d+)s", (FILES / "nginx.conf").read_text())
    assert interval
    assert wait
    assert int(wait[1]) >= 3 * int(interval[1])


def test_nginx_looks_where_the_units_put_things() -> None:
    nginx, env = (FILES / "nginx.conf").read_text(), (FILES / "pingsite.env").read_text()
    web, prepare = FILES / "pingsite-web@.service", FILES / "pingsite-prepare.service"
    assert "unix:/run/pingsite/1/web.sock" in nginx
    assert "RuntimeDirectory=pingsite/%i" in web.read_text()
    assert "alias /var/cache/pingsite/" in nginx
    assert "PINGSITE_STATIC_ROOT=/var/cache/pingsite\n" in env
    assert "CacheDirectory=pingsite\n" in prepare.read_text()
