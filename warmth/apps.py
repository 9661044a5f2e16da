from django.apps import AppConfig


class WarmthConfig(AppConfig):
    name = "warmth"
    verbose_name = "送温暖统计表"
