import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("membership", "0005_index_how_memberships_end"),
        ("perks", "0004_redemptions_say_whose_and_what_came_back"),
    ]

    operations = [
        migrations.AlterField(model_name="redemption", name="ident", field=models.CharField(max_length=32)),
        migrations.AlterField(
            model_name="redemption",
            name="member",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="redemptions", to="membership.member"
            ),
        ),
    ]
