from django.apps import AppConfig


class DelegationsConfig(AppConfig):
    name = "delegations"
    verbose_name = "慰问组"

    def ready(self) -> None:
        from delegations import cloning  # noqa: F401  (its receiver listens from now on)
