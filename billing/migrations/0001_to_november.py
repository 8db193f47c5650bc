"""All that billing keeps, as it stood after 0016. A new database begins here; one that began before goes on as it did."""

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("billing", "0001_customers_checkouts_subscriptions_events"),
        ("billing", "0002_janitor_asks_what_came_of_an_operation"),
        ("billing", "0003_invoice_trouble_and_notices"),
        ("billing", "0004_reconciliations"),
        ("billing", "0005_payments_refunds_disputes"),
        ("billing", "0006_the_account_knows_its_mode"),
        ("billing", "0007_quote_of_a_change_of_plan"),
        ("billing", "0008_prices_never_below_zero"),
        ("billing", "0009_index_what_sweeps_look_for"),
        ("billing", "0010_index_unpaid_subscriptions"),
        ("billing", "0011_declarations_on_public_pages"),
        ("billing", "0012_index_renewals_that_wait_for_staff"),
        ("billing", "0013_refunds_that_wait_for_a_second_person"),
        ("billing", "0014_what_waits_for_a_person"),
        ("billing", "0015_payments_made_offline"),
        ("billing", "0016_declarations_are_forgotten"),
    ]

    initial = True

    dependencies = [
        ("membership", "0001_to_november"),
    ]

    operations = [
        migrations.CreateModel(
            name="AskedRefund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="asked_refunds",
                        to="membership.membership",
                    ),
                ),
                ("amount", models.PositiveIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("mark", models.CharField(max_length=400)),
                ("effect", models.CharField(max_length=10)),
                ("reason", models.CharField(max_length=200)),
                ("once", models.CharField(max_length=64, unique=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[("approved", "Approved"), ("declined", "Declined"), ("overtaken", "Overtaken")],
                        max_length=9,
                    ),
                ),
                (
                    "answered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("answered_at", models.DateTimeField(null=True)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("decision", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("answer", "")), fields=["asked_at", "id"], name="asked_refunds_that_wait"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answer__in", ["approved", "declined"]), _negated=True),
                            models.Q(
                                ("answered_at__isnull", False),
                                ("answered_by__isnull", False),
                                models.Q(("answered_by", models.F("asked_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="another_person_answers_an_asked_refund",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("answer", "approved"), ("decision", ""), _connector="XOR"),
                        name="only_an_approved_refund_has_its_decision",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("answer", "")), fields=("membership",), name="one_asked_refund_waits"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("decision", ""), _negated=True),
                        fields=("decision",),
                        name="one_asked_refund_per_decision",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CheckoutSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="checkouts",
                        to="membership.membership",
                    ),
                ),
                (
                    "price",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="membership.price"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("complete", "Complete"),
                            ("expired", "Expired"),
                            ("returned", "Returned"),
                        ],
                        default="open",
                        max_length=8,
                    ),
                ),
                ("stripe_id", models.CharField(blank=True, max_length=100, null=True, unique=True)),
                ("url", models.TextField(blank=True)),
                ("opened_at", models.DateTimeField()),
                ("look_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")), fields=["look_at"], name="open_checkouts_to_look_at"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "open")),
                        fields=("membership",),
                        name="one_open_checkout_per_membership",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions",
                        to="membership.membership",
                    ),
                ),
                ("stripe_id", models.CharField(max_length=64, unique=True)),
                ("status", models.CharField(max_length=24)),
                (
                    "price",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="membership.price"
                    ),
                ),
                ("cancel_at_period_end", models.BooleanField(default=False)),
                ("cancel_at", models.DateTimeField(blank=True, null=True)),
                ("current_period_end", models.DateTimeField(blank=True, null=True)),
                ("read_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                ("reread_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("reread_at__isnull", False)),
                        fields=["reread_at"],
                        name="subscriptions_to_read_again",
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ["past_due", "unpaid"])),
                        fields=["membership"],
                        name="subscriptions_unpaid",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("status__in", ("active", "trialing", "past_due", "unpaid", "incomplete", "paused"))
                        ),
                        fields=("membership",),
                        name="one_live_subscription_per_membership",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invoices", to="membership.membership"
                    ),
                ),
                ("stripe_id", models.CharField(max_length=64, unique=True)),
                ("number", models.CharField(blank=True, max_length=64)),
                ("status", models.CharField(max_length=16)),
                ("billing_reason", models.CharField(blank=True, max_length=40)),
                ("currency", models.CharField(max_length=3)),
                ("total", models.IntegerField()),
                ("amount_paid", models.IntegerField()),
                ("amount_due", models.IntegerField(default=0)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(blank=True, null=True)),
                (
                    "trouble",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("declined", "Declined"),
                            ("action", "Action"),
                            ("hard", "Hard"),
                            ("no_card", "No Card"),
                        ],
                        max_length=8,
                    ),
                ),
                ("decline_code", models.CharField(blank=True, max_length=60)),
                ("card_last4", models.CharField(blank=True, max_length=4)),
                ("failed_card", models.CharField(blank=True, max_length=64)),
                ("hosted_url", models.TextField(blank=True)),
                ("made_at", models.DateTimeField()),
                ("paid_at", models.DateTimeField(blank=True, null=True)),
                ("read_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-made_at", "-pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("status", "open"),
                            models.Q(("trouble", ""), _negated=True),
                            models.Q(("trouble", "action"), _negated=True),
                        ),
                        fields=["made_at", "id"],
                        name="invoices_not_paid",
                    ),
                    models.Index(
                        condition=models.Q(("status", "open"), ("trouble", "action")),
                        fields=["made_at", "id"],
                        name="invoices_to_confirm",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_paid__gte", 0)), name="invoice_is_paid_nothing_or_more"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="billing.invoice"
                    ),
                ),
                ("stripe_id", models.CharField(max_length=100, unique=True)),
                (
                    "plan",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="membership.plan"
                    ),
                ),
                ("description", models.TextField(blank=True)),
                ("amount", models.IntegerField()),
                ("discount", models.IntegerField(default=0)),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("buys_time", models.BooleanField()),
                ("changes_plan", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ["pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("buys_time", False),
                            models.Q(("amount__gte", models.F("discount")), ("discount__gte", 0)),
                            _connector="OR",
                        ),
                        name="time_bought_costs_nothing_or_more_after_its_discount",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PlanQuote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="plan_quotes",
                        to="membership.membership",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.subscription"
                    ),
                ),
                (
                    "from_plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="membership.plan"
                    ),
                ),
                (
                    "price",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="membership.price"
                    ),
                ),
                ("proration_at", models.DateTimeField()),
                ("due", models.PositiveIntegerField()),
                ("balance_used", models.IntegerField(default=0)),
                ("lines", models.JSONField(default=list)),
                ("renews_at", models.DateTimeField(blank=True, null=True)),
                ("renewal", models.PositiveIntegerField(default=0)),
                ("facts", models.JSONField(default=dict)),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("offered", "Offered"),
                            ("confirming", "Confirming"),
                            ("done", "Done"),
                            ("dropped", "Dropped"),
                        ],
                        default="offered",
                        max_length=10,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "confirming")),
                        fields=("membership",),
                        name="one_plan_change_at_a_time",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StripeAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stripe_id", models.CharField(max_length=64, unique=True)),
                ("livemode", models.BooleanField(default=False)),
                ("first_seen_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="customer", to="membership.member"
                    ),
                ),
                ("stripe_id", models.CharField(max_length=64, unique=True)),
                ("currency", models.CharField(blank=True, max_length=3)),
            ],
        ),
        migrations.CreateModel(
            name="StripePrice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "price",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="stripe", to="membership.price"
                    ),
                ),
                ("stripe_id", models.CharField(max_length=64, unique=True)),
                ("lookup_key", models.CharField(max_length=120, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name="Declaration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_at", models.DateTimeField()),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("last_error", models.CharField(blank=True, max_length=500)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("parked_reason", models.CharField(blank=True, max_length=200)),
                ("kind", models.CharField(choices=[("cancel", "Cancel"), ("withdraw", "Withdraw")], max_length=8)),
                ("for_cause", models.BooleanField(default=False)),
                ("reason", models.CharField(blank=True, max_length=1000)),
                ("name", models.CharField(max_length=120)),
                ("email", models.EmailField(max_length=254)),
                ("number", models.CharField(blank=True, max_length=40)),
                ("wanted_on", models.DateField(blank=True, null=True)),
                ("contact", models.EmailField(max_length=254)),
                ("language", models.CharField(max_length=5)),
                ("key", models.CharField(max_length=64)),
                ("token", models.CharField(max_length=32, unique=True)),
                ("arrived_at", models.DateTimeField()),
                ("proven_at", models.DateTimeField(blank=True, null=True)),
                (
                    "member",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="declarations",
                        to="membership.member",
                    ),
                ),
                (
                    "membership",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="declarations",
                        to="membership.membership",
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("canceled", "Canceled"),
                            ("withdrawn", "Withdrawn"),
                            ("before", "Before"),
                            ("over", "Over"),
                            ("by_itself", "By Itself"),
                            ("shared", "Shared"),
                            ("too_late", "Too Late"),
                            ("staff", "Staff"),
                        ],
                        max_length=9,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=400)),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at", None), ("parked_reason", "")),
                        fields=["due_at"],
                        name="declaration_due",
                    ),
                    models.Index(
                        condition=models.Q(("done_at", None), models.Q(("parked_reason", ""), _negated=True)),
                        fields=["arrived_at"],
                        name="declarations_for_staff",
                    ),
                    models.Index(
                        condition=models.Q(("done_at__isnull", False)),
                        fields=["done_at"],
                        name="declarations_to_forget",
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("key",), name="one_declaration_per_form_sent")],
            },
        ),
        migrations.CreateModel(
            name="StripeEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_at", models.DateTimeField()),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("last_error", models.CharField(blank=True, max_length=500)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("parked_reason", models.CharField(blank=True, max_length=200)),
                ("stripe_id", models.CharField(max_length=64)),
                ("type", models.CharField(max_length=80)),
                ("object_id", models.CharField(max_length=100)),
                ("payload", models.JSONField()),
                ("received_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at", None), ("parked_reason", "")),
                        fields=["due_at"],
                        name="stripeevent_due",
                    ),
                    models.Index(
                        condition=models.Q(("done_at", None), models.Q(("parked_reason", ""), _negated=True)),
                        fields=["due_at"],
                        name="events_to_try_again",
                    ),
                    models.Index(
                        condition=models.Q(("done_at", None), ("seen_at", None)),
                        fields=["received_at", "id"],
                        name="events_that_are_stuck",
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("stripe_id",), name="each_event_is_stored_once")],
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_at", models.DateTimeField()),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("last_error", models.CharField(blank=True, max_length=500)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                ("parked_reason", models.CharField(blank=True, max_length=200)),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="notices", to="membership.membership"
                    ),
                ),
                ("kind", models.CharField(choices=[("renewal", "Renewal"), ("dunning", "Dunning")], max_length=8)),
                (
                    "term",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="membership.term"
                    ),
                ),
                ("step", models.CharField(max_length=16)),
                (
                    "invoice",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="billing.invoice",
                    ),
                ),
                ("latest_at", models.DateTimeField()),
                ("announced", models.JSONField(blank=True, default=dict)),
                ("issue", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                (
                    "message",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="membership.message",
                    ),
                ),
                ("skipped_reason", models.CharField(blank=True, max_length=40)),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at", None), ("parked_reason", "")),
                        fields=["due_at"],
                        name="notice_due",
                    ),
                    models.Index(
                        condition=models.Q(("done_at", None), ("seen_at", None)),
                        fields=["due_at", "id"],
                        name="notices_that_are_stuck",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("membership", "kind", "term", "step"),
                        name="one_notice_per_membership_kind_term_and_step",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("invoice__isnull", False), ("kind", "dunning")),
                            models.Q(models.Q(("kind", "dunning"), _negated=True), ("invoice", None)),
                            _connector="OR",
                        ),
                        name="dunning_names_its_invoice",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("issue", 0), ("message", None)),
                            models.Q(("issue__gte", 1), ("message__isnull", False)),
                            _connector="OR",
                        ),
                        name="sent_notice_has_its_message",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("issue", 0), ("skipped_reason", ""), _connector="OR"),
                        name="notice_is_sent_or_skipped_not_both",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OfflinePayment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offline_payments",
                        to="membership.member",
                    ),
                ),
                (
                    "term",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="offline_payment",
                        to="membership.term",
                    ),
                ),
                (
                    "price",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="membership.price"
                    ),
                ),
                ("amount", models.PositiveIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "means",
                    models.CharField(
                        choices=[("counter", "At the counter"), ("transfer", "By transfer")], max_length=8
                    ),
                ),
                ("reference", models.CharField(max_length=60)),
                ("paid_on", models.DateField()),
                ("recorded_at", models.DateTimeField()),
                ("recorded_by", models.CharField(max_length=64)),
            ],
            options={
                "indexes": [models.Index(fields=["paid_on"], name="offline_payments_by_day")],
                "constraints": [
                    models.UniqueConstraint(fields=("reference",), name="one_offline_payment_per_reference"),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gt", 0)), name="offline_payment_is_of_something"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Operation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=120, unique=True)),
                ("kind", models.CharField(max_length=40)),
                (
                    "member",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="operations",
                        to="membership.member",
                    ),
                ),
                ("params", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("unknown", "Unknown"),
                            ("done", "Done"),
                            ("refused", "Refused"),
                            ("parked", "Parked"),
                        ],
                        default="unknown",
                        max_length=8,
                    ),
                ),
                ("stripe_id", models.CharField(blank=True, max_length=100)),
                ("error", models.CharField(blank=True, max_length=500)),
                ("asked_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("look_at", models.DateTimeField(blank=True, null=True)),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                ("key_good_until", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "unknown")), fields=["asked_at"], name="operations_unknown"
                    ),
                    models.Index(
                        condition=models.Q(("look_at__isnull", False)), fields=["look_at"], name="operations_to_look_at"
                    ),
                    models.Index(
                        condition=models.Q(("seen_at", None), ("state", "parked")),
                        fields=["asked_at", "id"],
                        name="operations_that_are_stuck",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReconcileRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField()),
                ("started_wall", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                ("walk", models.CharField(blank=True, max_length=24)),
                ("cursor", models.CharField(blank=True, max_length=100)),
                ("seen", models.PositiveIntegerField(default=0)),
            ],
            options={
                "ordering": ["-started_at", "-pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("finished_at", None)),
                        fields=["started_at"],
                        name="reconciliations_to_go_on",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReconcileFinding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="findings", to="billing.reconcilerun"
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[("repaired", "Repaired"), ("raised", "Raised"), ("failed", "Failed")], max_length=8
                    ),
                ),
                ("walk", models.CharField(max_length=24)),
                ("object_id", models.CharField(max_length=100)),
                (
                    "member",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="membership.member"
                    ),
                ),
                ("said", models.CharField(max_length=400)),
                ("found_at", models.DateTimeField()),
                ("waits", models.BooleanField(default=False)),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("waits", True)), fields=["found_at", "id"], name="findings_that_wait"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "walk", "object_id"), name="one_finding_per_object_and_run")
                ],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="membership.membership"
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="billing.invoice",
                    ),
                ),
                ("stripe_id", models.CharField(max_length=64, unique=True)),
                ("intent_id", models.CharField(db_index=True, max_length=64)),
                ("currency", models.CharField(max_length=3)),
                ("captured", models.PositiveIntegerField()),
                ("returned", models.PositiveIntegerField(default=0)),
                ("disputed", models.PositiveIntegerField(default=0)),
                ("country", models.CharField(blank=True, max_length=2)),
                ("paid_at", models.DateTimeField()),
                ("read_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["paid_at", "pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "captured__gte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("returned"), "+", models.F("disputed")
                                ),
                            )
                        ),
                        name="no_more_goes_back_than_was_paid",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="membership.membership"
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="billing.payment"
                    ),
                ),
                ("decision", models.CharField(max_length=64)),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("cooling_off", "Cooling Off"),
                            ("house", "House"),
                            ("goodwill", "Goodwill"),
                            ("misplaced", "Misplaced"),
                            ("stripe", "Stripe"),
                        ],
                        max_length=11,
                    ),
                ),
                (
                    "effect",
                    models.CharField(
                        choices=[("money_only", "Money Only"), ("end_now", "End Now"), ("end_at", "End At")],
                        max_length=10,
                    ),
                ),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("amount", models.PositiveIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("working", models.JSONField(default=list)),
                ("reason", models.TextField(blank=True)),
                ("actor", models.CharField(max_length=64)),
                ("approved_by", models.CharField(blank=True, max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("noted", "Noted"),
                            ("pending", "Pending"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("canceled", "Canceled"),
                            ("refused", "Refused"),
                        ],
                        default="noted",
                        max_length=9,
                    ),
                ),
                ("stripe_id", models.CharField(blank=True, max_length=64, null=True, unique=True)),
                (
                    "operation",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="billing.operation"
                    ),
                ),
                ("said", models.CharField(blank=True, max_length=400)),
                ("decided_at", models.DateTimeField()),
                ("effected_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-decided_at", "-pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("effected_at", None), ("state__in", ["noted", "pending", "succeeded"])),
                        fields=["decided_at"],
                        name="refunds_to_carry_out",
                    ),
                    models.Index(condition=models.Q(("state", "noted")), fields=["id"], name="refunds_not_answered"),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount__gte", 1)), name="refund_gives_something_back"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("effect", "end_at"), ("ends_at__isnull", False)),
                            models.Q(models.Q(("effect", "end_at"), _negated=True), ("ends_at", None)),
                            _connector="OR",
                        ),
                        name="refund_that_ends_at_a_date_names_it",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("basis__in", ["cooling_off", "house", "goodwill"]),
                            ("effect__in", ["end_now", "end_at"]),
                            ("state__in", ["noted", "pending", "succeeded"]),
                        ),
                        fields=("payment",),
                        name="one_refund_with_an_end_per_payment",
                    ),
                    models.UniqueConstraint(fields=("decision", "payment"), name="one_refund_per_decision_and_payment"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "membership",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="disputes", to="membership.membership"
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="disputes", to="billing.payment"
                    ),
                ),
                ("stripe_id", models.CharField(max_length=64, unique=True)),
                ("amount", models.PositiveIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("status", models.CharField(max_length=32)),
                ("reason", models.CharField(blank=True, max_length=40)),
                ("evidence_due_at", models.DateTimeField(blank=True, null=True)),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-opened_at", "-pk"],
            },
        ),
    ]
