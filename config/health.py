"""GET /healthz: may traffic come to this process?

PostgreSQL alone makes "saved" true, so only its failure answers 503. Without Redis people keep working and
what is due is done later: that is reported and still 200.
"""

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.backoff import NoBackoff
from redis.retry import Retry


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    answer = {"database": database_state(), "redis": redis_state()}
    return JsonResponse(answer, status=200 if answer["database"] == "ok" else 503)


def database_state() -> str:
    """The connection's own time-outs (settings.py) bound this."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return "unavailable"
    return "ok"


def redis_state() -> str:
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5, retry=Retry(NoBackoff(), 0)
        ) as client:
            client.ping()
    except (redis.RedisError, ValueError):  # ValueError: no or not a Redis address
        return "unavailable"
    return "ok"
