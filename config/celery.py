"""The Celery application. What it may and may not be trusted with is said in settings.py."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("songwennuan")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
