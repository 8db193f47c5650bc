"""`python -m tests.billing_e2e.prepare`: databases, programme and prices for the scenarios; prints their names as JSON.

{"api_key": a shop's key, "vars": {"yearly_price": "price_…", …}}
"""

from __future__ import annotations

import io
import json
import sys

import django
from django.core.management import call_command


def main() -> None:
    django.setup()
    from billing import gateway  # only once Django is set up
    from membership.bootstrap import demo

    demo.prepare()
    told = io.StringIO()
    call_command("shop_key", "create", "--shop", "Scenarios", stdout=told)
    stripe = gateway.client().v1
    prices = stripe.prices.list({"active": True, "limit": 100}).data
    yearly = {price.lookup_key: price.id for price in prices if price.lookup_key}
    silver = next(price for price in prices if (price.lookup_key or "").startswith("silver-year-eur"))
    monthly = [
        stripe.prices.create(
            {"product": silver.product, "currency": "eur", "unit_amount": amount, "recurring": {"interval": "month"}}
        ).id
        for amount in (900, 1900)
    ]
    coupon = stripe.coupons.create({"percent_off": 50, "duration": "once"})
    names = {
        "monthly_price": monthly[0],
        "dearer_monthly_price": monthly[1],
        "yearly_price": silver.id,
        "dearer_yearly_price": next(i for key, i in yearly.items() if key.startswith("gold-year-eur")),
        "half_off_once": coupon.id,
    }
    json.dump({"api_key": told.getvalue().strip(), "vars": names}, sys.stdout)


if __name__ == "__main__":
    main()
