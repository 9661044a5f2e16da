"""Write the secrets of a deployment to deploy/secrets/. Existing ones are kept: they open existing data."""

from __future__ import annotations

import base64
import os
import secrets
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "deploy" / "secrets"
CONTAINER_ACCOUNT = 10001  # the account of the Dockerfile; a file secret keeps its owner in the container


def write(name: str, value: str) -> str:
    """The value that holds: the file's if it exists, else the new one."""
    path = FOLDER / name
    if path.exists():
        return path.read_text()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w") as file:
        file.write(value)
    return value


def main() -> int:
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    write("secret_key", secrets.token_urlsafe(64))
    # To rotate: add "2:…" behind it, restart, run rotate_personal_keys, then take "1:…" away.
    write("personal_data_keys", f"1:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}")
    postgres = write("postgres_password", secrets.token_urlsafe(32))
    redis = write("redis_password", secrets.token_urlsafe(32))
    write("database_url", f"postgres://songwennuan:{postgres}@postgres:5432/songwennuan")
    write("redis_url", f"redis://:{redis}@redis:6379/0")
    write("email_password", "")
    if os.geteuid() == 0:
        # The images of postgres and redis read theirs as root before they drop privileges.
        for name in ("secret_key", "personal_data_keys", "database_url", "redis_url", "email_password"):
            os.chown(FOLDER / name, CONTAINER_ACCOUNT, CONTAINER_ACCOUNT)
    else:
        for path in FOLDER.iterdir():
            path.chmod(0o444)  # the folder stays 0700; inside, the account of each container must read them
    print(f"已写入 {FOLDER}；邮件口令请填入 email_password。", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
