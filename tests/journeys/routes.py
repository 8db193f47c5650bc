"""Every route of the demo, read from Django's resolver, and what a reader gets at each.

A new route needs a line in TABLE: without one, tests/journeys/test_every_page.py fails. Where an address needs an
argument, the line names it; values in braces are facts of the running demo (see cast.py).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings
from django.urls import URLResolver, get_resolver

from tests.journeys.rig import ROOT, Demo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Entry:
    """How a route is visited. `by` names who can see it besides the four roles; `why` explains what is no page."""

    arguments: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    also: tuple[str, ...] = ()  # other queries that lead to other looks of the page
    by: tuple[str, ...] = ()
    why: str = ""


class Page(Entry):
    """HTML with status 200 for somebody."""


class Document(Entry):
    """An answer to programs or a file: never a page with status 200."""


class Elsewhere(Entry):
    """A GET that only ever leads to another page: everybody, or those named in `by`."""


class PostOnly(Entry):
    """Refuses GET with 405."""


API = "JSON for programs; a person meets problem+json"

TABLE: dict[str, Entry] = {
    "home": Page(),
    "plans": Page(),
    "set-language": PostOnly(why="sets a cookie and leads back"),
    "portal": Page(),
    "settings": Page(),
    "mails": Page(),
    "own-data": Page(),
    "mail": Page({"pk": "{own_mail}"}),
    "decline": Page({"token": "{letter}"}),
    "healthz": Document(why="for load balancers"),
    "card-pdf": Document(why="a PDF; who has no card reads why, under another status"),
    "card-page": Page({"token": "{card_token}"}),
    "vip-keys": Document(why="public keys for shops"),
    # accounts
    "account_login": Page(),
    "account_logout": Page(),
    "account_inactive": Page(),
    "account_signup": Page(),
    "account_reauthenticate": Page(),
    "account_email": Page(),
    "account_email_verification_sent": Page(by=("newcomer",)),
    "account_change_password": Page(),
    "account_set_password": Elsewhere(why="every account has a password, so it leads to changing it"),
    "account_reset_password": Page(),
    "account_confirm_password_reset_code": Page(by=("forgetful",)),
    "account_complete_password_reset": Page(by=("resetting",)),
    "account_password_reset_completed": Page(),
    "account_request_login_code": Page(),
    "account_confirm_login_code": Page(by=("coder",)),
    "mfa_index": Page(by=("careful",)),
    "mfa_authenticate": Page(by=("second_step",)),
    "mfa_reauthenticate": Page(by=("careful",)),
    "mfa_activate_totp": Page(by=("proven",)),
    "mfa_deactivate_totp": Page(by=("careful",)),
    "mfa_view_recovery_codes": Page(by=("careful",)),
    "mfa_generate_recovery_codes": Page(by=("careful",)),
    "mfa_download_recovery_codes": Document(by=("careful",), why="a text file to keep"),
    "mfa_list_webauthn": Page(by=("careful",)),
    "mfa_add_webauthn": Page(by=("proven",)),
    "mfa_reauthenticate_webauthn": Page(by=("careful",)),
    "mfa_remove_webauthn": Page({"pk": "{passkey}"}, by=("careful",)),
    "mfa_edit_webauthn": Page({"pk": "{passkey}"}, by=("careful",)),
    "mfa_login_webauthn": Elsewhere(why="JSON for passkeys.js; a person is led to the log-in"),
    "usersessions_list": Page(),
    # the staff's console
    "console": Page(also=("q=ada", "q=nobody"), by=("clerk", "onlooker")),
    "console-queue": Page({"code": "declarations"}, by=("clerk", "onlooker")),
    "console-waits": Page({"kind": "bounced", "pk": "{bounced_mail}"}, by=("clerk",)),
    "console-health": Page(by=("clerk", "onlooker")),
    "console-report": Page({"code": "members"}, by=("clerk", "onlooker")),
    "console-export": Page({"code": "money"}, by=("exporter",)),
    "console-member": Page({"number": "{number}"}, also=("show=money", "show=mails"), by=("clerk", "onlooker")),
    "console-extend": Page({"number": "{number}"}, by=("clerk",)),
    "console-give-term": Page({"number": "{number}"}, by=("manager",)),
    "console-paid-offline": Page({"number": "{number}"}, by=("manager",)),
    "console-plan": Page({"number": "{number}"}, by=("clerk",)),
    "console-suspend": Page({"number": "{number}"}, by=("clerk",)),
    "console-lift": Page({"number": "{number}"}, by=("clerk",)),
    "console-cancel": Page({"number": "{number}"}, by=("clerk",)),
    "console-resume": Page({"number": "{number}"}, by=("clerk",)),
    "console-card": Page({"number": "{number}"}, by=("clerk",)),
    "console-mail": Page({"number": "{number}"}, by=("clerk",)),
    "console-read-again": Page({"number": "{number}"}, by=("clerk",)),
    "console-note": Page({"number": "{number}"}, by=("clerk",)),
    "console-checks": Page({"number": "{number}"}, also=("day=2020-01-01", "day=x"), by=("clerk", "onlooker")),
    "console-check": Page({"ident": "{check}"}, by=("clerk", "onlooker")),
    "console-goodwill-back": Page({"number": "{number}"}, by=("clerk",)),
    "console-goodwill": Page({"number": "{number}"}, by=("clerk",)),
    "console-book": Page({"number": "{number}"}, by=("clerk",)),
    "console-unbook": Page({"number": "{number}"}, by=("clerk",)),
    "console-events": Page(by=("clerk", "onlooker")),
    "console-event": Page({"code": "workshop-knitwear"}, by=("clerk", "onlooker")),
    "console-concierge": Page(also=("show=mine", "show=closed"), by=("clerk", "onlooker")),
    "console-desk-hours": Page(by=("manager",)),
    "console-concierge-request": Page({"pk": "{concierge_request_pk}"}, by=("clerk", "onlooker")),
    "console-concierge-claim": Page({"pk": "{concierge_request_pk}"}, by=("clerk",)),
    "console-concierge-put-back": Page({"pk": "{concierge_request_pk}"}, by=("clerk",)),
    "console-concierge-answer": Page({"pk": "{concierge_request_pk}"}, by=("clerk",)),
    "console-concierge-note": Page({"pk": "{concierge_request_pk}"}, by=("clerk",)),
    "console-concierge-close": Page({"pk": "{concierge_request_pk}"}, by=("clerk",)),
    "console-concierge-reopen": Page({"pk": "{concierge_request_pk}"}, by=("clerk",)),
    "console-concierge-file": Document({"pk": "{concierge_file}"}, by=("clerk",), why="a file that a member sent"),
    "console-catalogue": Page(by=("manager", "onlooker")),
    "console-perk": Page({"code": "standing-discount"}, by=("manager", "onlooker")),
    "console-perk-new": Page(by=("manager",)),
    "console-perk-names": Page({"code": "standing-discount"}, by=("manager",)),
    "console-perk-put": Elsewhere(
        {"code": "standing-discount"}, by=("manager",), why="makes or drops a draft by POST, and leads back"
    ),
    "console-perk-tier": Page({"code": "free-shipping", "tier": "gold"}, by=("manager",)),
    "console-perk-publish": Page({"code": "standing-discount"}, by=("manager",)),
    "console-tier": Page({"code": "gold"}, by=("manager",)),
    "console-plan-sale": Page({"code": "silver-year"}, by=("manager",)),
    "console-price": Page({"code": "gold-year"}, by=("manager",)),
    "console-sale-new": Page(by=("manager",)),
    "console-sale": Page({"code": "winter-sale"}, by=("manager",)),
    "console-shops": Page(by=("manager",)),
    "console-shop-new": Page(by=("exporter",)),
    "console-key-new": Page({"pk": "1"}, by=("exporter",)),
    "console-key-rotate": Page({"pk": "1"}, by=("exporter",)),
    "console-key-revoke": Page({"pk": "1"}, by=("exporter",)),
    "console-refund": Page({"number": "{number}"}, by=("refunder",)),
    "console-take-request-back": Page({"number": "{number}"}, by=("clerk",)),
    "console-approve": Page({"pk": "{asked_refund}"}, by=("approver",)),
    "console-decline": Page({"pk": "{asked_refund}"}, by=("approver",)),
    "console-declaration": Page({"token": "{declaration}"}, by=("clerk", "onlooker")),
    "console-declaration-assign": Page({"token": "{declaration}"}, by=("clerk",)),
    "console-declaration-close": Page({"token": "{declaration}"}, by=("clerk",)),
    # the API
    "api-1:openapi-json": Document(why="the schema"),
    "api-1:check_perks": PostOnly(why=API),
    "api-1:replay_check": Document({"check_id": "chk_unknown"}, why=API),
    "api-1:get_member": Document({"number": "{number}"}, why=API),
    "api-1:tie_customer": PostOnly({"number": "{number}"}, why=API),
    "api-1:list_perks": Document(why=API),
    "api-1:list_sales": Document(why=API),
    "api-1:get_sale": Document({"code": "winter-sale"}, why=API),
    "api-1:ask_for_confirmation": PostOnly(why=API),
    "api-1:confirm_email": PostOnly({"confirmation_id": "emc_unknown"}, why=API),
    "api-1:verify_card": PostOnly(why=API),
    "api-1:hold_perks": PostOnly(why=API),
    "api-1:get_redemption": Document({"redemption_id": "red_unknown"}, why=API),
    "api-1:commit_redemption": PostOnly({"redemption_id": "red_unknown"}, why=API),
    "api-1:release_redemption": PostOnly({"redemption_id": "red_unknown"}, why=API),
    "api-1:return_redemption": PostOnly({"redemption_id": "red_unknown"}, why=API),
    "api-1:api-root": Document(why="ninja's own; nothing stands there"),
    "api-docs": Page(),
    "savings": Page(),
    "concierge": Page(),
    "concierge-request": Page({"ident": "{concierge_request}"}),
    "concierge-file": Document({"pk": "{concierge_file}"}, why="a file that the member sent"),
    "bookings": Page(),
    "book-seat": PostOnly({"code": "workshop-knitwear"}, why="books a seat, and leads back"),
    "give-seat-back": PostOnly({"code": "workshop-knitwear"}, why="gives it back, and leads back"),
    "leave-waiting-list": PostOnly({"code": "workshop-knitwear"}, why="leaves it, and leads back"),
    "book-service": PostOnly({"perk": "alterations"}, why="books a service, and leads back"),
    # paying
    "checkout-return": Elsewhere(query="session_id={session}", why="back from paying it leads on"),
    "checkout": Page({"plan_code": "gold-year"}),
    "invoices": Page(),
    "invoice": Page({"pk": "{invoice}"}),
    "cancel": Page(),
    "stay": Elsewhere(why="takes a cancellation back by POST; who had to log in first is led to the portal's button"),
    "change-plan": Page(),
    "change-plan-keep": Elsewhere(why="takes a planned change back by POST"),
    "plan-quote-new": Elsewhere({"plan_code": "gold-year"}, why="works an amount out by POST, and leads to it"),
    "plan-quote": Page({"pk": "{quote}"}, by=("silver",)),
    "change-plan-at-renewal": Page({"plan_code": "bronze-year"}),
    "refund": Page(),
    "refund-confirm": Page(by=("wavering",)),
    "refund-made": Page({"pk": "{refund}"}, by=("refunded",)),
    "declare-cancellation": Page(),
    "declare-withdrawal": Page(),
    "declaration": Page({"token": "{declaration}"}),
    "declaration-text": Document({"token": "{declaration}"}, why="the receipt as a text to keep"),
    "declaration-proof": Page({"token": "{declaration_proof}"}),
    "mend-payment": Page(),
    "change-card": PostOnly(why="leads to Stripe's page for another card"),
    "stripe-webhook": PostOnly(why="Stripe posts events here"),
    "local_stripe:api": Document({"rest": "products"}, why="Stripe's API; without a key, Stripe's error"),
    "local_stripe:checkout": Page({"session_id": "{session}"}),
    "local_stripe:authenticate": Page({"intent_id": "{intent}"}),
    "local_stripe:invoice": Page({"invoice_id": "{stripe_invoice}"}),
    "local_stripe:portal": Page({"token": "{stripe_portal}"}),
    "local_stripe:portal-card": Page({"token": "{stripe_portal}"}),
    "local_stripe:portal-cancel": Page({"token": "{stripe_portal}", "subscription_id": "{stripe_subscription}"}),
    "local_stripe:dashboard": Page(),
    "local_stripe:dashboard-find": Elsewhere(query="q={stripe_invoice}"),
    "local_stripe:dashboard-list": Page({"slug": "charges"}),
    "local_stripe:dashboard-object": Page({"slug": "subscriptions", "stripe_id": "{stripe_subscription}"}),
    "local_stripe:dashboard-deliveries": Page(),
    "local_stripe:dashboard-clocks": Page(),
    "local_stripe:dashboard-resend": PostOnly({"delivery_id": "1"}, why="tells an event again"),
    # the demo's own
    "demo-shop": Page(by=("shopper",)),
    "demo-shop-as": PostOnly(why="says who shops"),
    "demo-shop-put": PostOnly(why="puts something into the basket"),
    "demo-shop-basket": Page(by=("shopper",)),
    "demo-shop-order": Page({"ref": "{shop_order}"}, by=("shopper",)),
    "demo-time": Document(why="the bar's script asks how far a move is; the bar posts here"),
    "dev-mail": Page(),
    "dev-mail-one": Page({"pk": "{mail}"}),
    "dev-mail-html": Page({"pk": "{mail}"}),
}


def of(demo: Demo) -> dict[str, str]:
    """Name (or, without one, the pattern itself) to pattern, of every route of this demo's own URLconf.

    Asked of another process: some routes stand in a demo only, and the tests run in another mode.
    """
    command = [sys.executable, "-m", "tests.journeys.routes"]
    environment = demo.variables() | {"DJANGO_SETTINGS_MODULE": "membership.settings"}
    told = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
    return json.loads(told)  # type: ignore[no-any-return]


def addresses(pattern: str, entry: Entry, facts: Mapping[str, str]) -> list[str]:
    """Where `entry` is visited. Raises KeyError for an argument it does not name."""
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: entry.arguments[found[1]].format_map(facts), pattern)
    queries = [query.format_map(facts) for query in (entry.query, *entry.also)]
    return [f"/{path}?{query}" if query else f"/{path}" for query in queries]


def unlisted(routes: Iterable[str], table: Mapping[str, Entry]) -> list[str]:
    """Routes that nobody said how to visit."""
    return sorted(set(routes) - set(table))


def stale(routes: Iterable[str], table: Mapping[str, Entry]) -> list[str]:
    """Lines about routes that are no more."""
    return sorted(set(table) - set(routes))


def main() -> None:
    django.setup()
    told: dict[str, str] = {}
    for name, pattern in _walk(get_resolver(settings.ROOT_URLCONF)):
        key = name or f"/{pattern}"
        told[key if key not in told else f"{key} at {pattern}"] = pattern
    print(json.dumps(told))


def _walk(resolver: Any, above: str = "", space: str = "") -> Iterable[tuple[str, str]]:
    for one in resolver.url_patterns:
        pattern = above + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _walk(one, pattern, f"{space}{one.namespace}:" if one.namespace else space)
        else:
            yield (f"{space}{one.name}" if one.name else ""), pattern


if __name__ == "__main__":
    main()
