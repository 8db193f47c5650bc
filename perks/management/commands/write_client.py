"""manage.py write_client: write the generated files of the shops' client anew, after a change of the API's schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from membership.api import api
from perks import client, client_source

FOLDER = Path(client.__file__).parent


class Command(BaseCommand):
    help = "Write perks/client/models.py and operations.py from the API's schema."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, text in client_source.files(api.get_openapi_schema()).items():
            (FOLDER / name).write_text(text, encoding="utf-8")
            self.stdout.write(f"perks/client/{name}")
