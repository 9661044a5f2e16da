from django.urls import include, path

from config.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("", include("unions.urls")),
    path("", include("reporting.urls")),
    path("", include("delegations.urls")),
]
