from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class MembershipConfig(AppConfig):
    name = "membership"

    def ready(self) -> None:
        # Every app's registrations by module name, so that the ground floor imports nothing above it.
        autodiscover_modules("receivers", "panels", "invariants", "audit_invariants", "console", "own_data_parts")
