"""The scripts behind `make`: servers that start, stop and never stay behind; laws of the repository."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import import_rules  # noqa: E402  scripts are programs, not a package
from services import data_folder  # noqa: E402


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    """A data folder of these tests' own: making its cluster takes longer than all they do with it. Not tmp_path: as
    root the servers' account could not enter it."""
    folder = data_folder("test").parent / f"scripts-{os.getpid()}"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def services(base: Path, *command: str) -> subprocess.Popen[str]:
    arguments = [sys.executable, "scripts/services.py", "run", "--fast", "--", *command]
    environment = os.environ | {"SONGWENNUAN_DATA": str(base)}
    return subprocess.Popen(
        arguments, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def servers(base: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
        except psutil.Error:
            continue
        if any(str(base) in part for part in line) and "services.py" not in " ".join(line):
            found.append(process)
    return found


def gone(base: Path) -> bool:
    _, alive = psutil.wait_procs(servers(base), timeout=20)
    return not alive


def started(process: subprocess.Popen[str]) -> None:
    """Wait until the command inside runs: it prints one line."""
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "up"


WAITING = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)")


def test_the_command_gets_both_addresses_and_its_exit_code_comes_back(base: Path) -> None:
    program = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL']); raise SystemExit(7)"
    with services(base, sys.executable, "-c", program) as process:
        out, _ = process.communicate(timeout=60)
    assert out.startswith("postgres://songwennuan:")
    assert "@127.0.0.1:" in out.split()[1]
    assert process.returncode == 7
    assert gone(base)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_server_stays_behind_however_the_run_ends(base: Path, number: signal.Signals) -> None:
    with services(base, *WAITING) as process:
        started(process)
        assert len(servers(base)) >= 2
        process.send_signal(number)
        if number is signal.SIGINT:  # a terminal sends Ctrl-C to the command as well
            for child in psutil.Process(process.pid).children():
                if child.cmdline()[1:2] == ["-c"]:
                    child.send_signal(number)
        process.wait(30)
    assert gone(base)
    with services(base, sys.executable, "-c", "") as again:
        assert again.wait(60) == 0


def test_two_runs_on_one_folder_are_refused_with_a_sentence(base: Path) -> None:
    with services(base, *WAITING) as first:
        started(first)
        with services(base, sys.executable, "-c", "") as second:
            _, problem = second.communicate(timeout=60)
        assert second.returncode == 1
        assert "请先结束它" in problem and "Traceback" not in problem
        assert first.poll() is None
        first.send_signal(signal.SIGTERM)


def test_a_server_that_does_not_start_shows_the_end_of_its_log(base: Path) -> None:
    with services(base, sys.executable, "-c", "") as process:
        assert process.wait(60) == 0
    (cluster,) = (base / "test").glob("postgres[0-9]*")
    (cluster / "PG_VERSION").unlink()
    with services(base, sys.executable, "-c", "") as process:
        _, problem = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "postgres 没有启动成功" in problem and "PG_VERSION" in problem and "Traceback" not in problem
    assert gone(base)
    shutil.rmtree(base)  # of no use to the others any more


def test_the_demo_says_at_once_that_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        begin = time.monotonic()
        done = subprocess.run(
            [sys.executable, "scripts/demo.py", "run"],
            cwd=ROOT,
            env=os.environ | {"PORT": str(port)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.strip() == f"端口 {port} 已被占用。请换一个端口，例如：PORT={port + 1} make demo"
    assert time.monotonic() - begin < 5


# -- laws ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "source", "allowed"),
    [
        ("warmth/models.py", "from reporting.fields import Count", True),
        ("reporting/models.py", "from unions.models import Union", True),
        ("reporting/models.py", "from warmth.models import WarmthForm", False),
        ("reporting/models.py", "def late():\n    import helpcenter.models", False),
        ("unions/gate.py", "from reporting.models import Filing", False),
        ("warmth/models.py", "import helpcenter", False),
        ("unions/gate.py", "from config import settings", False),
    ],
)
def test_imports_run_one_way(path: str, source: str, allowed: bool) -> None:
    assert (not list(import_rules.broken_arrows(ROOT / path, source))) is allowed


def test_package_registries_are_recognised() -> None:
    for address in (
        "https://" + "pypi" + ".org/simple",
        "https://registry." + "npmjs.org/",
        "un" + "pkg.com/htmx",
    ):
        assert import_rules.REGISTRIES.search(address), address


def test_the_county_list_is_whole() -> None:
    lines = (ROOT / "unions" / "data" / "counties.csv").read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in lines[1:]]
    cities = (ROOT / "unions" / "data" / "reporting-units.csv").read_text(encoding="utf-8")
    assert lines[0] == "code,name,city_code"
    assert len(rows) == len({row[0] for row in rows}) == 121
    for code, _, city in rows:
        assert code[:4] + "00" == city
        assert f",{city}," in cities
