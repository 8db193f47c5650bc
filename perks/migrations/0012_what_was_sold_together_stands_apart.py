"""Entitlement rows name what their perks were sold under by its hash; it stands apart, once for all who bought the
same (perks/sold.py)."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from django.db import migrations, models


def apart(apps: Any, schema_editor: Any) -> None:
    entitlement, sold_together = apps.get_model("perks", "Entitlement"), apps.get_model("perks", "SoldTogether")
    for row in entitlement.objects.only("facts").iterator():
        own, _, settings = row.facts.partition("\n")
        if not settings.startswith("["):
            continue
        facts, sold = json.loads(own), json.loads(settings)
        found: dict[tuple[str, str, str], int] = {}
        for held in _held(facts):
            one = (held.pop("perk"), held.pop("kind"), sold[held.pop("sold")])
            if not held["used"]:
                del held["used"]
            held["sold"] = found.setdefault(one, len(found))
        text = _text(list(found))
        digest = sha256(text.encode()).hexdigest()[:32]
        sold_together.objects.get_or_create(digest=digest, defaults={"text": text})
        entitlement.objects.filter(pk=row.pk).update(facts=f"{_text(facts)}\n{digest}")


def together(apps: Any, schema_editor: Any) -> None:
    entitlement, sold_together = apps.get_model("perks", "Entitlement"), apps.get_model("perks", "SoldTogether")
    for row in entitlement.objects.only("facts").iterator():
        if not row.facts:
            continue
        own, _, digest = row.facts.partition("\n")
        facts, sold = json.loads(own), json.loads(sold_together.objects.get(pk=digest).text)
        settings: dict[str, int] = {}
        for held in _held(facts):
            perk, kind, text = sold[held.pop("sold")]
            known = {"grant": held.pop("grant"), "perk": perk, "kind": kind, "used": held.pop("used", {})}
            rest = dict(held)
            held.clear()
            held |= known | rest | {"sold": settings.setdefault(text, len(settings))}
        entitlement.objects.filter(pk=row.pk).update(facts=f"{_text(facts)}\n{_text(list(settings))}")


def _held(facts: dict[str, Any]) -> list[dict[str, Any]]:
    both = [one for one in (facts, facts.get("seat")) if one]
    return [h for one in both for w in (*one["windows"], *one["goodwill"]) for h in w["held"]]


def _text(told: Any) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


class Migration(migrations.Migration):
    dependencies = [("perks", "0011_the_row_keeps_settings_apart")]
    operations = [
        migrations.CreateModel(
            name="SoldTogether",
            fields=[
                ("digest", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("text", models.TextField()),
            ],
        ),
        migrations.RunPython(apart, together),
    ]
