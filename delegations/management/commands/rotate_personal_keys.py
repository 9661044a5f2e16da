"""After a new version was added to PERSONAL_DATA_KEYS: seal everything with it, so that the old one can go."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from delegations.personal.disclosure import rotate
from delegations.personal.sealing import Unreadable, newest_version


class Command(BaseCommand):
    help = "用最新版本的密钥重新加密全部家庭信息；完成后可以撤下旧密钥"

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = rotate()
        except Unreadable as problem:
            raise CommandError(
                f"{problem}。旧密钥还不能撤下：请确认它在 PERSONAL_DATA_KEYS 中，再运行一次。"
            ) from problem
        self.stdout.write(f"已用第 {newest_version()} 版密钥重新加密 {done} 户。")
