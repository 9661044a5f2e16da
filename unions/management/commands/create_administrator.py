"""Make the first administrator of a union: everybody else is made on the page 人员."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from unions import actions
from unions.models import Union


class Command(BaseCommand):
    help = "为一个工会组织建立第一名管理员，打印一次性初始密码。已有管理员的单位拒绝建立。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--union", required=True, metavar="代码", help="工会组织代码，省总工会为 230000")
        parser.add_argument("--username", required=True, metavar="账号", help="登录账号，可用中文")
        parser.add_argument("--name", default="管理员", metavar="姓名", help="姓名，默认“管理员”")

    def handle(self, *args: Any, **options: Any) -> None:
        union = Union.objects.filter(code=options["union"]).first()
        if union is None:
            raise CommandError(f"没有代码为 {options['union']} 的工会组织。请先运行 load_unions。")
        try:
            person, password = actions.create_first_administrator(
                union=union, username=options["username"], name=options["name"]
            )
        except actions.Refusal as problem:
            raise CommandError(str(problem)) from problem
        except ValidationError as problem:
            raise CommandError("；".join(problem.messages)) from problem
        self.stdout.write(f"已为{union.name}建立管理员。")
        self.stdout.write(f"账号：{person.username}")
        self.stdout.write(f"初始密码：{password}")
        self.stdout.write("此密码只显示这一次，首次登录须修改。")
