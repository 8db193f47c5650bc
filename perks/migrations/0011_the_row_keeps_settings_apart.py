"""Entitlement rows in two lines: the member's own facts, and the settings that their perks were sold under (facts.py)."""

from __future__ import annotations

import json
from typing import Any

from django.db import migrations


def apart(apps: Any, schema_editor: Any) -> None:
    entitlement = apps.get_model("perks", "Entitlement")
    for row in entitlement.objects.only("facts").iterator():
        if row.facts and "\n" not in row.facts:
            entitlement.objects.filter(pk=row.pk).update(facts=_two_lines(json.loads(row.facts)))


def together(apps: Any, schema_editor: Any) -> None:
    entitlement = apps.get_model("perks", "Entitlement")
    for row in entitlement.objects.only("facts").iterator():
        own, _, settings = row.facts.partition("\n")
        facts, sold = json.loads(own), json.loads(settings)
        for held in _held(facts):
            held["settings"] = sold[held.pop("sold")]
        entitlement.objects.filter(pk=row.pk).update(facts=_text(facts))


def _two_lines(facts: dict[str, Any]) -> str:
    sold: dict[str, int] = {}
    for held in _held(facts):
        held["sold"] = sold.setdefault(held.pop("settings"), len(sold))
    return f"{_text(facts)}\n{_text(list(sold))}"


def _held(facts: dict[str, Any]) -> list[dict[str, Any]]:
    both = [one for one in (facts, facts.get("seat")) if one]
    return [h for one in both for w in (*one["windows"], *one["goodwill"]) for h in w["held"]]


def _text(told: Any) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


class Migration(migrations.Migration):
    dependencies = [("perks", "0010_a_key_is_free_again_after_thirty_days")]
    operations = [migrations.RunPython(apart, together)]
