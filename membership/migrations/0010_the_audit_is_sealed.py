"""Seals on the audit, and a database that refuses to change a row of either."""

from django.db import migrations, models

from membership.migrations import _audit_stays


class Migration(migrations.Migration):
    dependencies = [
        ("membership", "0009_mails_that_bounced"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("after", models.PositiveBigIntegerField(unique=True)),
                ("upto", models.PositiveBigIntegerField()),
                ("leaves", models.JSONField()),
                ("digest", models.CharField(max_length=64)),
                ("sealed_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["after"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("upto__gt", models.F("after"))), name="seal_covers_what_follows"
                    )
                ],
            },
        ),
        migrations.RunPython(_audit_stays.put, _audit_stays.take_away),
    ]
