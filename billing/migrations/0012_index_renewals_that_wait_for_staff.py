from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0011_declarations_on_public_pages"),
        ("membership", "0007_staff_roles_and_search_from_the_start"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                condition=models.Q(
                    ("status", "open"),
                    models.Q(("trouble", ""), _negated=True),
                    models.Q(("trouble", "action"), _negated=True),
                ),
                fields=["made_at", "id"],
                name="invoices_not_paid",
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(
                condition=models.Q(("status", "open"), ("trouble", "action")),
                fields=["made_at", "id"],
                name="invoices_to_confirm",
            ),
        ),
    ]
