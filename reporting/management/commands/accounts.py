"""Prints the demonstration's accounts, one for each role."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from reporting.sample import PASSWORD
from unions.models import Person

SHOWN = (
    ("哈尔滨填报员", "填写两张统计表，上传报告"),
    ("哈尔滨负责人", "核对并上报本单位报送件"),
    ("哈尔滨审核员", "审核南岗区、道里区"),
    ("南岗区填报员", "县（区）级填报"),
    ("南岗区负责人", "县（区）级上报"),
    ("省总审核员", "审核、退回、通过各市（地）、产业"),
    ("省总管理员", "报送任务、人员、延期、汇总、表样核对"),
    ("省总审计员", "查看全部，不作改动"),
    ("第1慰问组联络员", "编制第1慰问组走访计划，填写记录，上传材料"),
    ("第1慰问组带队领导", "查看本组计划，下载行程单"),
)


class Command(BaseCommand):
    help = "列出演示账号，每种角色一个"

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("演示账号只在演示环境中有。")
        known = set(
            Person.objects.filter(username__in=[name for name, _ in SHOWN]).values_list("username", flat=True)
        )
        for name, does in SHOWN:
            if name in known:
                self.stdout.write(f"  {name}　　密码 {PASSWORD}　　{does}")
