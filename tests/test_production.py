"""A deployment refuses to run unsafely; what can be known of the containers without running them."""

from __future__ import annotations

import base64
import http.server
import os
import re
import secrets
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client, RequestFactory

from config import health
from config.client_address import client_address

ROOT = Path(__file__).resolve().parent.parent
KEYS = f"1:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}"
GOOD = {
    "SECRET_KEY": secrets.token_urlsafe(64),
    "PERSONAL_DATA_KEYS": KEYS,
    "DATABASE_URL": "postgres://user:p%40ss@db.example:5433/name",
    "REDIS_URL": "redis://:word@redis.example:6379/0",
    "ALLOWED_HOSTS": "songwennuan.example",
}
PROGRAM = "from config import settings; print(settings.DATABASES['default'])"


def start(changes: dict[str, str], program: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of its own, as a production machine would."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **GOOD, **changes}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_good_settings_start_and_the_database_address_is_understood() -> None:
    done = start({})
    assert done.returncode == 0, done.stderr
    for part in ("'HOST': 'db.example'", "'PORT': '5433'", "'PASSWORD': 'p@ss'", "'NAME': 'name'"):
        assert part in done.stdout


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SECRET_KEY": ""}, "缺少 SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY 太短"),
        ({"SECRET_KEY": "django-insecure-" + "k3y" * 20}, "示例值"),
        ({"SECRET_KEY": "a" * 60}, "过于简单"),
        ({"PERSONAL_DATA_KEYS": ""}, "缺少 PERSONAL_DATA_KEYS"),
        ({"PERSONAL_DATA_KEYS": "1:c2hvcnQ="}, "32 个随机字节"),
        ({"PERSONAL_DATA_KEYS": KEYS.removeprefix("1:")}, "须形如 1:密钥"),
        ({"PERSONAL_DATA_KEYS": f"0:{KEYS[2:]}"}, "须形如 1:密钥"),
        ({"PERSONAL_DATA_KEYS": "1:" + "A" * 43 + "="}, "32 个随机字节"),
        ({"DATABASE_URL": ""}, "缺少 DATABASE_URL"),
        ({"DATABASE_URL": "mysql://user@host/name"}, "DATABASE_URL 须形如"),
        ({"REDIS_URL": ""}, "缺少 REDIS_URL"),
        ({"ALLOWED_HOSTS": ""}, "缺少 ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "*"}, "不能是 *"),
        ({"DEBUG": "1"}, "DEBUG"),
        ({"SECRET_KEY_FILE": "/nowhere/secret"}, "SECRET_KEY_FILE"),
        ({"SONGWENNUAN_ENV": "Demo", "SECRET_KEY": ""}, "缺少 SECRET_KEY"),  # a slip of the pen is production
    ],
)
def test_a_missing_or_weak_setting_is_refused_with_a_sentence(changes: dict[str, str], sentence: str) -> None:
    done = start(changes)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert "ImproperlyConfigured" in last
    assert sentence in last


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret_key"
    file.write_text(GOOD["SECRET_KEY"] + "\n")
    program = "from config import settings; print(settings.SECRET_KEY)"
    done = start({"SECRET_KEY": "", "SECRET_KEY_FILE": str(file)}, program)
    assert done.stdout.strip() == GOOD["SECRET_KEY"]


def test_publishing_a_task_with_redis_gone_fails_within_seconds() -> None:
    """A web request that hands work over must not hang; the row it wrote is found by the next tick."""
    program = (
        "import time, django; django.setup()\n"
        "from celery import current_app\n"
        "begin = time.monotonic()\n"
        "try:\n    current_app.send_task('reporting.tick')\n"
        "except Exception as problem:\n    print(type(problem).__name__)\n"
        "print(time.monotonic() - begin)"
    )
    done = start(
        {"DJANGO_SETTINGS_MODULE": "config.settings", "REDIS_URL": "redis://127.0.0.1:1/0"},
        "import config.celery\n" + program,
    )
    name, seconds = done.stdout.split()
    assert name == "OperationalError"
    assert float(seconds) < 3


# -- health ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_healthz_is_ok_when_both_servers_answer(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "redis": "ok"})


@pytest.mark.django_db
def test_healthz_without_redis_is_still_200(client: Client, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "redis": "unavailable"})


@pytest.mark.django_db
def test_healthz_without_the_database_is_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise health.Error("gone")

    monkeypatch.setattr(health.connection, "cursor", refuse)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"database": "unavailable", "redis": "ok"})


@pytest.mark.django_db
def test_every_page_forbids_scripts_from_elsewhere(client: Client) -> None:
    policy = client.get("/healthz")["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_containers_health_check_asks_with_an_accepted_host(tmp_path: Path) -> None:
    hosts = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hosts.append(self.headers["Host"])
            self.send_response(200 if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        source = (ROOT / "deploy" / "healthcheck.py").read_text().replace("8000", str(server.server_port))
        done = subprocess.run(
            [sys.executable, "-c", source],
            env={"ALLOWED_HOSTS": ".songwennuan.example,other.example"},
            capture_output=True,
            check=False,
        )
        thread.join()
    assert done.returncode == 0
    assert hosts == ["songwennuan.example"]


# -- whose address ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "6.6.6.6", "10.0.0.1"),  # no proxy of ours: the header is the caller's own invention
        (1, "6.6.6.6, 8.8.8.8", "8.8.8.8"),
        (2, "6.6.6.6, 8.8.8.8", "6.6.6.6"),
        (1, "", "10.0.0.1"),
        (2, "8.8.8.8", "10.0.0.1"),
    ],
)
def test_only_our_own_proxies_are_believed(
    settings: Any, proxies: int, forwarded: str, expected: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert client_address(request) == expected


# -- containers ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8")))


def test_every_service_says_how_it_is_and_what_happens_when_it_dies(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["healthcheck"], name
        assert service["restart"] in {"unless-stopped", "on-failure"}, name
        assert service["healthcheck"].get("disable") is None or service["restart"] == "on-failure", name


def test_only_the_proxy_is_reachable_and_the_data_is_on_an_inner_network(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert [name for name, service in services.items() if service.get("ports")] == ["proxy"]
    assert compose["networks"]["inside"]["internal"] is True
    assert services["postgres"]["networks"] == services["redis"]["networks"] == ["inside"]


def test_no_secret_stands_in_the_compose_file(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for key, value in (service.get("environment") or {}).items():
            assert not re.search("PASSWORD|SECRET|_URL", key) or key.endswith("_FILE"), (name, key)
            if key.endswith("_FILE"):
                assert Path(value).name in service["secrets"], (name, key)
    assert all(path["file"].startswith("deploy/secrets/") for path in compose["secrets"].values())


def test_the_code_runs_without_root_and_cannot_change_itself(compose: dict[str, Any]) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    last_stage = dockerfile.rsplit("\nFROM ", 1)[1]
    assert re.search(r"^USER (?!root)\w+$", last_stage, re.MULTILINE)
    assert "--require-hashes" in dockerfile
    for name in ("web", "worker", "beat", "migrate"):
        service = compose["services"][name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name


def test_secrets_are_written_once_private_and_fit_together(tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "production_secrets.py"
    script.parent.mkdir()
    script.write_text(
        (ROOT / "scripts" / "production_secrets.py").read_text(encoding="utf-8"), encoding="utf-8"
    )
    folder = tmp_path / "deploy" / "secrets"
    seen = []
    for _ in range(2):
        subprocess.run([sys.executable, str(script)], check=True, capture_output=True)
        values = {path.name: path.read_text() for path in folder.iterdir()}
        assert values["postgres_password"] in values["database_url"]
        assert values["redis_password"] in values["redis_url"]
        assert len(values["secret_key"]) >= 50
        assert folder.stat().st_mode & 0o077 == 0
        seen.append(values)
    assert seen[0] == seen[1]
    named = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["secrets"]
    assert set(named) == set(values)


def test_lock_files_hold_hashes_and_no_addresses() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text, path
        assert "://" not in text and "index-url" not in text, path
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text(encoding="utf-8")
