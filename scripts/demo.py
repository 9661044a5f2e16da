"""`make demo`, `make demo-reset`, `make summary`, `make plan`: the whole system on this machine, with the sample.

    demo.py run | reset
    demo.py summary OUT | plan OUT | template UNION OUT | paper UNION OUT | read FILE

Begins on the bare system Python (so that a busy port is said before anything long), then continues in .venv.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TextIO

sys.path.insert(0, str(Path(__file__).resolve().parent))

import setup
from services import (
    ROOT,
    ServiceError,
    Services,
    data_folder,
    end,
    ends_with_parent,
    exit_on_sigterm,
    last_lines,
    uninterrupted,
)

LOGS = ROOT / ".run" / "logs"
MAIL = ROOT / "demo" / "mail"
MANAGE = [sys.executable, str(ROOT / "manage.py")]
WEB_SECONDS = 40
# verb → (command of manage.py, how many words follow the verb)
COMMANDS = {
    "summary": ("write_summary", 1),
    "plan": ("write_plan", 1),
    "template": ("write_template", 2),
    "paper": ("write_paper", 2),
    "read": ("read_workbook", 1),
}


def port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        setup.fail(f"PORT 应为 1 到 65535 的数字，这里是 {text}。")
    return int(text)


def refuse_busy_port() -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port()))
        except OSError:
            setup.fail(f"端口 {port()} 已被占用。请换一个端口，例如：PORT={port() + 1} make demo")


def environment(services: Services) -> dict[str, str]:
    media = services.data / "media"
    media.mkdir(mode=0o700, exist_ok=True)
    own = {
        "SONGWENNUAN_ENV": "demo",
        "SECRET_KEY": services.state["secret_key"],
        "PERSONAL_DATA_KEYS": services.state["personal_data_keys"],
        "MEDIA_ROOT": str(media),
        "EMAIL_FOLDER": str(MAIL),
        "PYTHONUNBUFFERED": "1",
    }
    return os.environ | services.environment() | own


def manage(env: dict[str, str], *arguments: str, told_to: TextIO | None = None) -> None:
    done = subprocess.run(
        [*MANAGE, *arguments],
        env=env,
        cwd=ROOT,
        check=False,
        stdout=told_to,
        preexec_fn=ends_with_parent(signal.SIGTERM),
    )
    if done.returncode:
        raise ServiceError(f"命令失败，没有继续。Failed: manage.py {' '.join(arguments)}")


def prepare(env: dict[str, str]) -> None:
    """Tells on stderr: a verb's own output on stdout stays pure."""
    setup.say("建立数据库表…")
    manage(env, "migrate", "--verbosity", "0")
    manage(env, "load_notice", told_to=sys.stderr)
    manage(env, "load_delegations", told_to=sys.stderr)


class Processes:
    """Web, worker and beat: each in a process group of its own, with a log of its own."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env = env
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str) -> None:
        with self.log(name).open("wb") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=ends_with_parent(signal.SIGTERM),
            )

    def log(self, name: str) -> Path:
        return LOGS / f"{name}.log"

    def refuse_dead(self) -> None:
        for name, process in self.running.items():
            if process.poll() is not None:
                raise ServiceError(
                    f"进程 {name} 意外结束（{process.returncode}），演示随之停止。日志 {self.log(name)}：\n"
                    + last_lines(self.log(name))
                )

    def stop(self) -> None:
        with uninterrupted():
            for process in self.running.values():
                end(process, signal.SIGTERM, signal.SIGKILL)  # each passes it on to its own workers
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # what a crashed parent left in its group


def wait_for_web(processes: Processes) -> None:
    deadline = time.monotonic() + WEB_SECONDS
    while time.monotonic() < deadline:
        processes.refuse_dead()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port()}/healthz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise ServiceError(
        f"网页服务没有应答，见日志 {processes.log('web')}：\n{last_lines(processes.log('web'))}"
    )


def run() -> None:
    LOGS.mkdir(parents=True, exist_ok=True)
    with Services(data_folder("demo")) as services:
        env = environment(services)
        prepare(env)
        manage(env, "play_sample", "--out", str(ROOT / "demo" / "2021年送温暖统计汇总.xlsx"))
        manage(env, "play_delegations")
        processes = Processes(env)
        try:
            web = ("gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port()}", "--access-logfile", "-")
            # Threads: a slow download must not hold the other people of a demo.
            processes.start(
                "web", *web, "--workers", "2", "--threads", "4", "--timeout", "120", "--no-control-socket"
            )
            celery = ("celery", "--app", "config", "--quiet")
            processes.start("worker", *celery, "worker", "--concurrency", "1", "--loglevel", "INFO")
            schedule = str(services.data / "beat-schedule")
            processes.start(
                "beat", *celery, "beat", "--schedule", schedule, "--pidfile=", "--loglevel", "INFO"
            )
            wait_for_web(processes)
            manage(env, "accounts")
            setup.say(
                f"\n  打开  http://127.0.0.1:{port()}/    日志在 {LOGS}/    发出的邮件在 {MAIL}/    按 Ctrl-C 结束\n"
            )
            while True:
                processes.refuse_dead()
                time.sleep(0.5)
        finally:
            processes.stop()


def reset() -> None:
    """Forget the demo's data. Refuses while it is in use; touches nothing else."""
    data = data_folder("demo")
    services = Services(data)
    if data.exists():
        if not services.take_lock():
            setup.fail(f"演示正在运行，请先结束它再重置。The demo is running on {data}")
        services.state = services.read_state()
        services.end_left_overs()
        shutil.rmtree(data)
    shutil.rmtree(ROOT / "demo", ignore_errors=True)


def command(*arguments: str) -> int:
    """One command of manage.py on the demonstration's data, beside a running demo or alone; its exit status."""
    services = Services(data_folder("demo"))
    if not services.attach():
        services.start()
    try:
        env = environment(services)
        prepare(env)
        return subprocess.run([*MANAGE, *arguments], env=env, cwd=ROOT, check=False).returncode
    finally:
        services.stop()


def continue_in_venv() -> None:
    """The servers' clients and Django live in .venv: replace this process by its Python."""
    setup.ensure()
    if Path(sys.prefix).resolve() != setup.VENV.resolve():
        os.execv(setup.PYTHON, [str(setup.PYTHON), *sys.argv])  # noqa: S606  no shell involved


def main(arguments: list[str]) -> int:
    verb = arguments[0] if arguments else "run"
    exit_on_sigterm()
    try:
        if verb in {"run", "reset"}:
            refuse_busy_port()
        continue_in_venv()
        if verb == "reset":
            reset()
        if verb in {"run", "reset"}:
            run()
        elif verb in COMMANDS and len(arguments) == 1 + COMMANDS[verb][1]:
            *words, path = arguments[1:]  # the last is a file, wherever manage.py runs
            return command(COMMANDS[verb][0], *words, str(Path(path).resolve()))
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except ServiceError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        setup.say("已结束。")
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
