"""All that perks keeps, as it stood after 0017. A new database begins here; one that began before goes on as it did."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("perks", "0001_catalogue_grants_redemptions_shops"),
        ("perks", "0002_a_check_may_ask_about_another_moment"),
        ("perks", "0003_codes_by_which_a_shop_is_told_of_a_member"),
        ("perks", "0004_redemptions_say_whose_and_what_came_back"),
        ("perks", "0005_redemptions_always_say_whose"),
        ("perks", "0006_decisions_keep_the_grants_they_stand_on"),
        ("perks", "0007_who_is_told_of_a_sale_first"),
        ("perks", "0008_events_with_numbered_places"),
        ("perks", "0009_a_use_keeps_no_second_hash"),
        ("perks", "0010_a_key_is_free_again_after_thirty_days"),
        ("perks", "0011_the_row_keeps_settings_apart"),
        ("perks", "0012_what_was_sold_together_stands_apart"),
        ("perks", "0013_concierge_requests_and_working_hours"),
        ("perks", "0014_who_waits_for_a_seat"),
        ("perks", "0015_drafts_of_perks_and_their_publications"),
        ("perks", "0016_an_old_key_retires_by_itself"),
        ("perks", "0017_who_set_the_desks_hours"),
    ]

    initial = True

    dependencies = [
        ("membership", "0001_to_november"),
    ]

    operations = [
        migrations.CreateModel(
            name="Perk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=40, unique=True)),
                ("names", models.JSONField()),
                ("kind", models.CharField(max_length=32)),
                ("settings", models.JSONField(default=dict)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("published", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["position", "code"],
            },
        ),
        migrations.CreateModel(
            name="TierPerk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "tier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tier_perks", to="membership.tier"
                    ),
                ),
                (
                    "perk",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tier_perks", to="perks.perk"
                    ),
                ),
                ("settings", models.JSONField(blank=True, default=dict)),
            ],
            options={
                "ordering": ["perk__position", "perk__code"],
                "constraints": [models.UniqueConstraint(fields=("tier", "perk"), name="one_perk_per_tier")],
            },
        ),
        migrations.CreateModel(
            name="Sale",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=40, unique=True)),
                ("names", models.JSONField()),
                ("opens_at", models.DateTimeField()),
                ("closes_at", models.DateTimeField()),
                ("published", models.BooleanField(default=True)),
                ("invited_at", models.DateTimeField(blank=True, null=True)),
                ("invited_upto", models.PositiveBigIntegerField(default=0)),
            ],
            options={
                "ordering": ["opens_at", "code"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("closes_at__gt", models.F("opens_at"))), name="sale_closes_after_it_opens"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="grants", to="membership.membership"
                    ),
                ),
                (
                    "perk",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="grants", to="perks.perk"
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("term", "Term"), ("goodwill", "Goodwill")], default="term", max_length=8
                    ),
                ),
                (
                    "term",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="membership.term",
                    ),
                ),
                (
                    "change",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grants",
                        to="membership.tierchange",
                    ),
                ),
                ("tier", models.CharField(blank=True, max_length=40)),
                ("settings", models.JSONField()),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("owner", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "ordering": ["starts_at", "pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("change", None)),
                        fields=("term", "perk"),
                        name="one_grant_per_term_and_perk",
                    ),
                    models.UniqueConstraint(fields=("change", "perk"), name="one_grant_per_tier_change_and_perk"),
                    models.UniqueConstraint(
                        condition=models.Q(("source", "term"), ("term", None)),
                        fields=("membership", "perk"),
                        name="one_provisional_grant_per_perk",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gte", models.F("starts_at"))), name="grant_ends_after_it_starts"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reason", ""), ("source", "term")),
                            models.Q(
                                ("change", None),
                                ("source", "goodwill"),
                                ("term", None),
                                models.Q(("reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="goodwill_grant_says_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("change", None), ("term__isnull", False), _connector="OR"),
                        name="grant_of_a_tier_change_lies_in_a_term",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SoldTogether",
            fields=[
                ("digest", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("text", models.TextField()),
            ],
        ),
        migrations.CreateModel(
            name="Entitlement",
            fields=[
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="entitlement",
                        serialize=False,
                        to="membership.member",
                    ),
                ),
                ("number", models.CharField(max_length=10, unique=True)),
                ("card_id", models.UUIDField(blank=True, null=True, unique=True)),
                (
                    "payer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="seats",
                        to="perks.entitlement",
                    ),
                ),
                ("facts", models.TextField()),
                ("version", models.PositiveBigIntegerField(default=1)),
                ("computed_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("payer", None), models.Q(("payer", models.F("member")), _negated=True), _connector="OR"
                        ),
                        name="nobody_sits_in_their_own_household",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Shop",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "shop",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="keys", to="perks.shop"
                    ),
                ),
                ("prefix", models.CharField(max_length=24, unique=True)),
                ("secret_hash", models.CharField(max_length=64)),
                ("scopes", models.JSONField(default=list)),
                ("live_slot", models.PositiveSmallIntegerField()),
                ("created_at", models.DateTimeField()),
                ("retires_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["created_at", "pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at", None)),
                        fields=("shop", "live_slot"),
                        name="one_live_key_per_slot",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("live_slot__gte", 1), ("live_slot__lte", 2)), name="two_live_keys_per_shop"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("revoked_at", None), ("revoked_at__gte", models.F("created_at")), _connector="OR"
                        ),
                        name="key_is_revoked_after_creation",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("retires_at", None), ("retires_at__gte", models.F("created_at")), _connector="OR"
                        ),
                        name="key_retires_after_creation",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Ref",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "shop",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="refs", to="perks.shop"
                    ),
                ),
                ("customer_ref", models.CharField(max_length=120)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="refs", to="membership.member"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("shop", "customer_ref"), name="one_member_per_shop_and_customer_ref"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Redemption",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ident", models.CharField(max_length=32)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="redemptions", to="membership.member"
                    ),
                ),
                (
                    "grant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="redemptions", to="perks.grant"
                    ),
                ),
                (
                    "shop",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="redemptions",
                        to="perks.shop",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("held", "Held"),
                            ("committed", "Committed"),
                            ("released", "Released"),
                            ("returned", "Returned"),
                            ("expired", "Expired"),
                        ],
                        default="held",
                        max_length=9,
                    ),
                ),
                ("draws_on", models.CharField(blank=True, max_length=60)),
                ("period", models.CharField(max_length=16)),
                ("slot", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("allowance", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("event", models.CharField(blank=True, max_length=120)),
                ("place", models.PositiveIntegerField(blank=True, null=True)),
                ("capacity", models.PositiveIntegerField(blank=True, null=True)),
                ("idempotency_key", models.CharField(max_length=120)),
                ("order_ref", models.CharField(max_length=120)),
                ("decision_ref", models.CharField(blank=True, max_length=40)),
                ("effect", models.JSONField(default=dict)),
                ("worth", models.PositiveBigIntegerField(default=0)),
                ("cost", models.PositiveBigIntegerField(default=0)),
                ("currency", models.CharField(max_length=3)),
                ("lines", models.JSONField(default=dict)),
                ("returned", models.JSONField(default=dict)),
                ("returned_worth", models.PositiveBigIntegerField(default=0)),
                ("returned_cost", models.PositiveBigIntegerField(default=0)),
                ("held_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("committed_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "held")), fields=["expires_at"], name="holds_that_expire"
                    ),
                    models.Index(fields=["order_ref"], name="redemptions_of_an_order"),
                    models.Index(fields=["ident"], name="uses_of_a_redemption"),
                    models.Index(fields=["member", "committed_at"], name="uses_of_a_member"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("slot__isnull", False), ("status__in", ["held", "committed"])),
                        fields=("draws_on", "period", "slot"),
                        name="one_live_redemption_per_slot",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("place__isnull", False), ("status__in", ["held", "committed"])),
                        fields=("event", "place"),
                        name="one_live_redemption_per_place",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("status__in", ["held", "committed"]), models.Q(("decision_ref", ""), _negated=True)
                        ),
                        fields=("decision_ref", "grant"),
                        name="one_live_redemption_per_check_and_perk",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("allowance", None), ("slot", None)),
                            models.Q(
                                ("slot__gte", 1),
                                ("slot__lte", models.F("allowance")),
                                models.Q(("draws_on", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="slot_lies_within_its_allowance",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("capacity", None), ("place", None)),
                            models.Q(
                                ("place__gte", 1),
                                ("place__lte", models.F("capacity")),
                                models.Q(("event", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="place_lies_within_its_capacity",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ["committed", "returned"]), _negated=True),
                            ("committed_at__isnull", False),
                            _connector="OR",
                        ),
                        name="committed_redemption_says_when",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at", None), ("status__in", ["held", "committed"])),
                            models.Q(
                                models.Q(("status__in", ["held", "committed"]), _negated=True),
                                ("closed_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="closed_redemption_says_when",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("returned_cost__lte", models.F("cost")), ("returned_worth__lte", models.F("worth"))
                        ),
                        name="no_more_comes_back_than_was_given",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="redemption_currency_is_iso"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="KeptAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "shop",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="kept_answers", to="perks.shop"
                    ),
                ),
                ("key", models.CharField(max_length=120)),
                ("request_hash", models.CharField(max_length=64)),
                ("answer", models.TextField()),
                ("made_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["made_at"], name="answers_to_forget")],
                "constraints": [models.UniqueConstraint(fields=("shop", "key"), name="one_answer_per_idempotency_key")],
            },
        ),
        migrations.CreateModel(
            name="WorkingHours",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("weekday", models.PositiveSmallIntegerField()),
                ("opens", models.PositiveSmallIntegerField()),
                ("closes", models.PositiveSmallIntegerField()),
            ],
            options={
                "verbose_name_plural": "working hours",
                "ordering": ["weekday", "opens"],
                "constraints": [
                    models.UniqueConstraint(fields=("weekday", "opens"), name="one_stretch_per_weekday_and_opening"),
                    models.CheckConstraint(condition=models.Q(("weekday__lte", 6)), name="weekday_is_one_of_seven"),
                    models.CheckConstraint(
                        condition=models.Q(("closes__gt", models.F("opens")), ("closes__lte", 1440)),
                        name="desk_closes_after_it_opens",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Holiday",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(unique=True)),
                ("name", models.CharField(max_length=80)),
            ],
            options={
                "ordering": ["day"],
            },
        ),
        migrations.CreateModel(
            name="DeskChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("author", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
            ],
            options={
                "ordering": ["number"],
                "constraints": [models.UniqueConstraint(fields=("number",), name="one_desk_change_per_number")],
            },
        ),
        migrations.CreateModel(
            name="ConciergeRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ident", models.CharField(max_length=32, unique=True)),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="concierge_requests",
                        to="membership.member",
                    ),
                ),
                (
                    "use",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="concierge_request",
                        to="perks.redemption",
                    ),
                ),
                ("subject", models.CharField(max_length=120)),
                ("opened_at", models.DateTimeField()),
                ("answer_hours", models.PositiveSmallIntegerField()),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("first_answered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "claimed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="membership.staff",
                    ),
                ),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("reply_token", models.CharField(max_length=32, unique=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at", None)), fields=["due_at"], name="requests_by_due_time"
                    ),
                    models.Index(fields=["member", "-opened_at"], name="requests_of_a_member"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closed_at", None), models.Q(("claimed_by", None), ("due_at", None)), _connector="OR"
                        ),
                        name="closed_request_owes_nothing",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("claimed_at", None), ("claimed_by", None)),
                            models.Q(("claimed_at__isnull", False), ("claimed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="claimed_request_says_since_when",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConciergeEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="entries", to="perks.conciergerequest"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("question", "Question"),
                            ("answer", "Answer"),
                            ("note", "Note"),
                            ("closed", "Closed"),
                            ("reopened", "Reopened"),
                        ],
                        max_length=8,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("text", models.TextField(blank=True)),
                (
                    "staff",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="membership.staff",
                    ),
                ),
                ("by_mail", models.BooleanField(default=False)),
                ("once", models.CharField(blank=True, max_length=32)),
            ],
            options={
                "verbose_name_plural": "concierge entries",
                "ordering": ["at", "pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("once", ""), _negated=True),
                        fields=("request", "once"),
                        name="one_concierge_entry_per_sending",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["question", "reopened"]), ("staff__isnull", False), _connector="OR"
                        ),
                        name="staff_entry_says_whose",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConciergeFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="file", to="perks.conciergeentry"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("media_type", models.CharField(max_length=40)),
                ("size", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="EmailConfirmation",
            fields=[
                ("due_at", models.DateTimeField()),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("last_error", models.CharField(blank=True, max_length=500)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("parked_reason", models.CharField(blank=True, max_length=200)),
                ("id", models.CharField(max_length=32, primary_key=True, serialize=False)),
                (
                    "shop",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="confirmations", to="perks.shop"
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("email_key", models.CharField(max_length=64)),
                ("language", models.CharField(max_length=5)),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="membership.member",
                    ),
                ),
                ("guesses", models.PositiveSmallIntegerField(default=0)),
                ("expires_wall", models.DateTimeField()),
                ("confirmed_wall", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at", None), ("parked_reason", "")),
                        fields=["due_at"],
                        name="emailconfirmation_due",
                    ),
                    models.Index(fields=["expires_wall"], name="confirmations_to_forget"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.CharField(max_length=32, primary_key=True, serialize=False)),
                (
                    "shop",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="decisions", to="perks.shop"
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="decisions",
                        to="membership.member",
                    ),
                ),
                ("decided_at", models.DateTimeField()),
                ("question", models.TextField()),
                ("answer", models.TextField()),
                ("as_of", models.DateTimeField(blank=True, null=True)),
                ("grants", models.TextField(default="{}")),
            ],
            options={
                "indexes": [
                    models.Index(fields=["decided_at"], name="decisions_to_forget"),
                    models.Index(fields=["member", "-decided_at"], name="decisions_about_a_member"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PerkDraft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "perk",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="drafts", to="perks.perk"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("base", models.JSONField()),
                ("content", models.JSONField()),
                ("author", models.CharField(max_length=64)),
                ("saved_at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        blank=True, choices=[("published", "Published"), ("discarded", "Discarded")], max_length=9
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["perk", "number"],
                "constraints": [
                    models.UniqueConstraint(fields=("perk", "number"), name="one_draft_per_number"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at", None), ("outcome", "")),
                            models.Q(models.Q(("outcome", ""), _negated=True), ("closed_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="closed_draft_says_how",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Publication",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "draft",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="publication", to="perks.perkdraft"
                    ),
                ),
                ("now_for", models.JSONField(default=list)),
                ("actor", models.CharField(max_length=64)),
                ("published_at", models.DateTimeField()),
                ("upto", models.PositiveBigIntegerField(default=0)),
                ("reached", models.PositiveIntegerField(default=0)),
                ("left_out", models.JSONField(default=list)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["published_at", "pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at", None)), fields=["published_at"], name="publications_on_their_way"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=40, unique=True)),
                ("names", models.JSONField()),
                ("places", models.PositiveIntegerField()),
                ("booking_opens_at", models.DateTimeField()),
                ("booking_closes_at", models.DateTimeField()),
                ("starts_at", models.DateTimeField()),
                ("published", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["starts_at", "code"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("booking_closes_at__gt", models.F("booking_opens_at"))),
                        name="booking_closes_after_it_opens",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("starts_at__gte", models.F("booking_closes_at"))),
                        name="event_starts_after_booking_closes",
                    ),
                    models.CheckConstraint(condition=models.Q(("places__gte", 1)), name="event_has_a_place"),
                ],
            },
        ),
        migrations.CreateModel(
            name="WaitingPlace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="waiting", to="perks.event"
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waiting_places",
                        to="membership.member",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("seated", "Seated"), ("left", "Left"), ("passed", "Passed")],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["asked_at", "pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "waiting")),
                        fields=["event", "asked_at"],
                        name="waiting_list_of_an_event",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "waiting")),
                        fields=("event", "member"),
                        name="one_waiting_place_per_event_and_member",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("settled_at", None), ("status", "waiting")),
                            models.Q(models.Q(("status", "waiting"), _negated=True), ("settled_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="settled_waiting_place_says_when",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FirstAccess",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_at", models.DateTimeField()),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("last_error", models.CharField(blank=True, max_length=500)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("parked_reason", models.CharField(blank=True, max_length=200)),
                (
                    "sale",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="first_accesses", to="perks.sale"
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="first_accesses",
                        to="membership.member",
                    ),
                ),
                (
                    "letter",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="membership.message",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at", None), ("parked_reason", "")),
                        fields=["due_at"],
                        name="firstaccess_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("sale", "member"), name="one_first_access_per_sale_and_member")
                ],
            },
        ),
    ]
