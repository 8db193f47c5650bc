"""All that membership keeps, as it stood after 0012. A new database begins here; one that began before goes on as it did."""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import membership.clock
import membership.models.cards
from membership.migrations import _audit_stays


class Migration(migrations.Migration):
    replaces = [
        ("membership", "0001_accounts_members_memberships"),
        ("membership", "0002_name_the_rule_of_one_term_per_reference"),
        ("membership", "0003_ticks_in_wall_time"),
        ("membership", "0004_set_back_what_a_sweep_cannot_do"),
        ("membership", "0005_index_how_memberships_end"),
        ("membership", "0006_what_members_choose"),
        ("membership", "0007_staff_roles_and_search_from_the_start"),
        ("membership", "0008_mail_that_comes_in"),
        ("membership", "0009_mails_that_bounced"),
        ("membership", "0010_the_audit_is_sealed"),
        ("membership", "0011_what_a_tier_says_of_itself"),
        ("membership", "0012_notes_of_staff"),
    ]

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("email", models.EmailField(max_length=254, unique=True, verbose_name="e-mail address")),
                (
                    "language",
                    models.CharField(
                        choices=[("en", "English"), ("de", "German")],
                        default="en",
                        max_length=5,
                        verbose_name="language",
                    ),
                ),
                ("time_zone", models.CharField(default="Europe/Amsterdam", max_length=64, verbose_name="time zone")),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(default=membership.clock.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("email"), name="one_account_per_email"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="member", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("number", models.CharField(max_length=10, unique=True)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("birthday", models.DateField(blank=True, null=True, verbose_name="birthday")),
                ("member_since", models.DateTimeField(blank=True, null=True)),
                ("found_by_email", models.BooleanField(default=False)),
                ("sale_letters", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(default=membership.clock.now)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("number__regex", "^[0-9]{10}$")), name="member_number_is_ten_digits"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Tier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=40, unique=True)),
                ("name", models.CharField(max_length=60)),
                ("rank", models.PositiveSmallIntegerField(unique=True)),
                ("color", models.SlugField(max_length=20)),
                ("lines", models.JSONField(blank=True, default=dict)),
            ],
            options={
                "ordering": ["rank"],
            },
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=40, unique=True)),
                (
                    "tier",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="plans", to="membership.tier"
                    ),
                ),
                (
                    "interval",
                    models.CharField(
                        choices=[("year", "yearly"), ("month", "monthly"), ("once", "one year, once")],
                        default="year",
                        max_length=5,
                    ),
                ),
                ("grace_days", models.PositiveSmallIntegerField(default=14)),
                ("trial_days", models.PositiveSmallIntegerField(default=0)),
                ("published", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["tier__rank", "code"],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="memberships", to="membership.member"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("active", "Active"),
                            ("suspended", "Suspended"),
                            ("ended", "Ended"),
                        ],
                        default="pending",
                        max_length=9,
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="membership.plan"
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("renewal_expected", models.BooleanField(default=True)),
                ("time_zone", models.CharField(max_length=64)),
                ("reserved_at", models.DateTimeField()),
                ("entitled_until", models.DateTimeField(blank=True, null=True)),
                ("canceled_at", models.DateTimeField(blank=True, null=True)),
                ("cut_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "end_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("expired", "Expired"),
                            ("lapsed", "Lapsed"),
                            ("refunded", "Refunded"),
                            ("dispute_lost", "Dispute Lost"),
                            ("staff", "Staff"),
                        ],
                        max_length=12,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at", None), ("renewal_expected", False)),
                        fields=["entitled_until", "id"],
                        name="memberships_that_run_out",
                    ),
                    models.Index(
                        condition=models.Q(("ended_at", None), ("renewal_expected", True)),
                        fields=["entitled_until", "id"],
                        name="memberships_that_renew",
                    ),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", False)),
                        fields=["ended_at"],
                        name="memberships_that_ended",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ("pending", "active", "suspended"))),
                        fields=("member",),
                        name="one_open_membership_per_member",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at__isnull", False), ("status", "ended")),
                            models.Q(models.Q(("status", "ended"), _negated=True), ("ended_at", None)),
                            _connector="OR",
                        ),
                        name="ended_membership_says_when",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status__in", ["active", "suspended"]), _negated=True),
                            ("entitled_until__isnull", False),
                            _connector="OR",
                        ),
                        name="active_membership_is_entitled_until_a_moment",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HouseholdSeat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="seats", to="membership.membership"
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="seats", to="membership.member"
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)), fields=("holder",), name="one_open_seat_per_member"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closed_at", None), ("closed_at__gte", models.F("opened_at")), _connector="OR"
                        ),
                        name="seat_closes_after_it_opens",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="consents", to="membership.member"
                    ),
                ),
                ("kind", models.CharField(max_length=32)),
                ("version", models.CharField(max_length=32)),
                ("language", models.CharField(max_length=5)),
                ("text", models.TextField()),
                ("given_at", models.DateTimeField()),
                ("source_ref", models.CharField(max_length=120)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "source_ref"), name="one_consent_per_kind_and_occasion")
                ],
            },
        ),
        migrations.CreateModel(
            name="Card",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=membership.models.cards.new_card_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="cards", to="membership.member"
                    ),
                ),
                ("issued_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at", None)), fields=("member",), name="one_card_per_member"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("revoked_at", None), ("revoked_at__gte", models.F("issued_at")), _connector="OR"
                        ),
                        name="card_is_revoked_after_issue",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CardKey",
            fields=[
                ("key_id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("public_key", models.BinaryField(max_length=32, unique=True)),
                ("first_used_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Price",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="prices", to="membership.plan"
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.PositiveIntegerField()),
                ("tax_included", models.BooleanField(default=True)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("retired_at", None)),
                        fields=("plan", "currency"),
                        name="one_price_per_plan_and_currency",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="price_currency_is_iso"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Term",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="terms", to="membership.membership"
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="membership.plan"
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("paid", "Paid"),
                            ("trial", "Trial"),
                            ("gift", "Gift"),
                            ("complimentary", "Complimentary"),
                            ("offline", "Offline"),
                        ],
                        max_length=13,
                    ),
                ),
                ("source_ref", models.CharField(max_length=120)),
                ("anchor_at", models.DateTimeField()),
                (
                    "interval",
                    models.CharField(choices=[("day", "Day"), ("month", "Month"), ("year", "Year")], max_length=5),
                ),
                ("every", models.PositiveSmallIntegerField(default=1)),
                ("ordinal", models.PositiveSmallIntegerField()),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["starts_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))), name="term_ends_after_it_starts"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("every__gte", 1), ("ordinal__gte", 1)), name="term_counts_from_one"
                    ),
                    models.UniqueConstraint(fields=("source_ref",), name="one_term_per_source_ref"),
                    models.UniqueConstraint(fields=("membership", "starts_at"), name="one_term_per_start"),
                    models.UniqueConstraint(
                        fields=("membership", "anchor_at", "ordinal"), name="one_term_per_anchor_and_ordinal"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TierChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "term",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tier_changes", to="membership.term"
                    ),
                ),
                (
                    "from_plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="membership.plan"
                    ),
                ),
                (
                    "to_plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="membership.plan"
                    ),
                ),
                ("changed_at", models.DateTimeField()),
                ("source_ref", models.CharField(max_length=120, unique=True)),
            ],
            options={
                "ordering": ["changed_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Stop",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="stops", to="membership.membership"
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("staff", "Staff"), ("dispute", "Dispute"), ("fraud", "Fraud")], max_length=7
                    ),
                ),
                ("source_ref", models.CharField(max_length=120)),
                ("opened_at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("source", "source_ref"), name="one_stop_per_source_and_reference"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("lifted_at", None), ("lifted_at__gte", models.F("opened_at")), _connector="OR"
                        ),
                        name="stop_is_lifted_after_it_opens",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Pause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="pauses", to="membership.membership"
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["starts_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gte", models.F("starts_at"))), name="pause_ends_after_it_starts"
                    ),
                    models.UniqueConstraint(fields=("membership", "starts_at"), name="one_pause_per_start"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Transition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transitions",
                        to="membership.membership",
                    ),
                ),
                ("verb", models.CharField(max_length=32)),
                ("from_status", models.CharField(blank=True, max_length=9)),
                ("to_status", models.CharField(max_length=9)),
                ("at", models.DateTimeField()),
                ("actor", models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name="Setback",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sweep", models.CharField(max_length=40)),
                ("row", models.BigIntegerField()),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("until", models.DateTimeField()),
                ("last_error", models.CharField(blank=True, max_length=80)),
            ],
            options={
                "indexes": [models.Index(fields=["until"], name="setbacks_to_forget")],
                "constraints": [models.UniqueConstraint(fields=("sweep", "row"), name="one_setback_per_sweep_and_row")],
            },
        ),
        migrations.CreateModel(
            name="RateCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=120)),
                ("window_ends_at", models.DateTimeField()),
                ("count", models.PositiveIntegerField(default=0)),
            ],
            options={
                "indexes": [models.Index(fields=["window_ends_at"], name="rate_counts_to_forget")],
                "constraints": [models.UniqueConstraint(fields=("key", "window_ends_at"), name="one_count_per_window")],
            },
        ),
        migrations.CreateModel(
            name="Tick",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("ran_at", models.DateTimeField()),
                ("ran_wall", models.DateTimeField(default=membership.clock.wall)),
            ],
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_at", models.DateTimeField()),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("last_error", models.CharField(blank=True, max_length=500)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("parked_reason", models.CharField(blank=True, max_length=200)),
                ("key", models.CharField(max_length=160, unique=True)),
                ("kind", models.CharField(max_length=48)),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="membership.member",
                    ),
                ),
                ("to", models.EmailField(max_length=254)),
                ("reply_to", models.EmailField(blank=True, max_length=254)),
                ("language", models.CharField(max_length=5)),
                ("subject", models.CharField(max_length=200)),
                ("text", models.TextField()),
                ("html", models.TextField(blank=True)),
                (
                    "attached_card",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="membership.card",
                    ),
                ),
                ("written_at", models.DateTimeField()),
                ("bounced_at", models.DateTimeField(blank=True, null=True)),
                ("bounce_said", models.CharField(blank=True, max_length=40)),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-written_at", "-pk"],
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at", None), ("parked_reason", "")),
                        fields=["due_at"],
                        name="message_due",
                    ),
                    models.Index(
                        condition=models.Q(("bounced_at__isnull", False), ("member__isnull", False), ("seen_at", None)),
                        fields=["bounced_at", "id"],
                        name="mails_that_bounced",
                    ),
                    models.Index(
                        condition=models.Q(("bounced_at", None), ("done_at", None), ("seen_at", None)),
                        fields=["written_at", "id"],
                        name="mails_that_are_stuck",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IncomingMail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("message_id", models.CharField(max_length=250, unique=True)),
                ("received_at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("taken", "Taken"),
                            ("not_ours", "Not Ours"),
                            ("wrong_sender", "Wrong Sender"),
                            ("automatic", "Automatic"),
                            ("refused", "Refused"),
                        ],
                        max_length=12,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "incoming mail",
            },
        ),
        migrations.CreateModel(
            name="TimelineEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="timeline", to="membership.member"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("kind", models.CharField(max_length=48)),
                ("data", models.JSONField(default=dict)),
                ("actor", models.CharField(max_length=64)),
                ("source_ref", models.CharField(blank=True, max_length=120)),
            ],
            options={
                "ordering": ["-at", "-pk"],
                "indexes": [models.Index(fields=["member", "-at"], name="timeline_of_a_member")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("source_ref", ""), _negated=True),
                        fields=("member", "kind", "source_ref"),
                        name="one_timeline_entry_per_source",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notes", to="membership.member"
                    ),
                ),
                ("text", models.TextField(max_length=2000)),
                ("written_at", models.DateTimeField()),
                ("written_by", models.CharField(max_length=64)),
                ("once", models.CharField(max_length=32, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name="SearchKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="search_keys", to="membership.member"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("name", "Name"),
                            ("email", "Email"),
                            ("number", "Number"),
                            ("order", "Order"),
                            ("stripe", "Stripe"),
                            ("card", "Card"),
                        ],
                        max_length=6,
                    ),
                ),
                ("value", models.CharField(max_length=254)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["value"], name="search_by_value_or_start", opclasses=["varchar_pattern_ops"])
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "kind", "value"), name="one_search_key_per_value")
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("actor", models.CharField(max_length=64)),
                ("verb", models.CharField(max_length=48)),
                ("subject", models.CharField(max_length=64)),
                ("data", models.JSONField(default=dict)),
            ],
            options={
                "verbose_name_plural": "audit entries",
                "indexes": [models.Index(fields=["subject", "at"], name="audit_of_a_subject")],
            },
        ),
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
        migrations.CreateModel(
            name="Staff",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="staff", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("viewer", "Viewer"),
                            ("support", "Support"),
                            ("billing", "Billing"),
                            ("manager", "Manager"),
                        ],
                        max_length=7,
                    ),
                ),
                (
                    "granted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("granted_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name_plural": "staff",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("granted_by", None),
                            models.Q(("granted_by", models.F("user")), _negated=True),
                            _connector="OR",
                        ),
                        name="nobody_grants_themselves_a_role",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("revoked_at", None), ("revoked_at__gte", models.F("granted_at")), _connector="OR"
                        ),
                        name="role_is_revoked_after_grant",
                    ),
                ],
            },
        ),
        migrations.RunPython(_audit_stays.put, _audit_stays.take_away),
    ]
