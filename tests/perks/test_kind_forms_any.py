"""Any settings of any kind, shown in their form and sent back as they are shown, are the same settings."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from perks import kinds
from perks.kind_forms import KindForm
from tests.perks.test_kind_forms import typed

CURRENCIES = ["EUR", "USD", "JPY", "KWD"]
SIGNS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])
TEXT = st.text(SIGNS, min_size=1, max_size=12).filter(str.strip)
AMOUNT = st.one_of(st.sampled_from([0, 1, 99, 100, 10**12]), st.integers(0, 10**6))
SUMS = st.dictionaries(st.sampled_from(CURRENCIES), AMOUNT, max_size=4)
NAMES = st.builds(lambda en, more: {"en": en, **more}, TEXT, st.dictionaries(st.sampled_from(["de", "fr"]), TEXT))
TEXTS = st.lists(TEXT, max_size=4)
ALLOWANCES = st.fixed_dictionaries(
    {"uses": st.integers(1, 10_000)},
    optional={"every": st.sampled_from(["term", "month", "quarter", "year"]), "carry_over": st.booleans()},
)
VALUED = st.fixed_dictionaries({}, optional={"share": st.integers(0, 100), "fixed": st.none() | SUMS})
COUNTRIES = st.lists(st.sampled_from(["NL", "BR", "XK", "ZZ"]), max_size=3)
PERCENT = st.integers(1, 10_000).map(lambda n: f"{n / 100:.2f}")


def maybe(strategy):
    return st.none() | strategy


LIKE_EVERY = {
    "currencies": maybe(st.lists(st.sampled_from(["EUR", "CHF", "JPY"]), max_size=3)),
    "allowance": maybe(ALLOWANCES),
    "in_grace": st.sampled_from(["keep", "stop", "finish"]),
    "fail_mode": st.sampled_from(["allow", "deny"]),
    "seats": st.sampled_from(["shared", "each"]),
    "worth": VALUED,
    "cost": VALUED,
}
STACKING = st.sampled_from(
    [{}, {"stacking": "not_with_other_discounts"}, {"stacking": "best_of_group", "group": "g 1"}]
)
# kind -> what it cannot do without, and what it may have
OWN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "birthday_gift": (
        {
            "allowance": st.fixed_dictionaries({"uses": st.integers(1, 9), "every": st.just("year")}),
            "sku": TEXT,
            "amount": SUMS.filter(bool),
        },
        {
            "minimum_basket": maybe(SUMS),
            "days_before": st.integers(0, 90),
            "days_after": st.integers(0, 90),
        },
    ),
    "concierge": (
        {},
        {
            "channels": st.lists(st.sampled_from(["chat", "mail", "phone"]), min_size=1, max_size=3, unique=True),
            "first_answer_hours": st.integers(1, 400),
        },
    ),
    "early_access": ({"hours": st.integers(1, 24 * 60)}, {"sales": maybe(TEXTS)}),
    "event_seat": ({"seat": NAMES}, {"events": maybe(TEXTS), "in_portal": st.booleans()}),
    "extended_returns": (
        {"days": st.integers(1, 365)},
        {"excluded_categories": TEXTS, "not_on_sale": st.booleans()},
    ),
    "fixed_credit": (
        {
            "amount": st.dictionaries(st.sampled_from(CURRENCIES), AMOUNT.filter(bool), min_size=1),
            "allowance": st.fixed_dictionaries(
                {"uses": st.integers(1, 9), "every": st.sampled_from(["month", "quarter", "year"])},
                optional={"carry_over": st.booleans()},
            ),
        },
        {"minimum_basket": maybe(SUMS), "good_for_days": maybe(st.integers(1, 366))},
    ),
    "free_shipping": (
        {},
        {
            "countries": maybe(COUNTRIES),
            "methods": maybe(TEXTS),
            "minimum_basket": maybe(SUMS),
            "maximum": maybe(SUMS),
        },
    ),
    "guest_pass": ({"opens": NAMES, "allowance": ALLOWANCES}, {"guests": st.integers(1, 20)}),
    "percent_discount": (
        {"percent": PERCENT},
        {
            "categories": maybe(TEXTS),
            "skus": maybe(TEXTS),
            "excluded_categories": TEXTS,
            "excluded_skus": TEXTS,
            "not_on_sale": st.booleans(),
            "minimum_basket": maybe(SUMS),
            "maximum": maybe(SUMS),
        },
    ),
    "service": ({"service": NAMES}, {"excluded_categories": TEXTS, "in_portal": st.booleans()}),
}


@st.composite
def sold(draw, kind):
    """Settings that can be saved, as they are kept."""
    needed, own = OWN[kind]
    common = {name: strategy for name, strategy in LIKE_EVERY.items() if name not in needed}
    given = draw(st.fixed_dictionaries(needed, optional={**own, **common})) | draw(STACKING)
    if kind == "birthday_gift":
        del given[draw(st.sampled_from(["sku", "amount"]))]
    try:
        return kinds.ALL[kind].Settings.model_validate(given)
    except ValidationError:
        return None


def test_every_kind_has_its_settings_here():
    assert set(OWN) == set(kinds.ALL)
    for kind, (needed, own) in OWN.items():
        model = kinds.ALL[kind].Settings
        assert set(model.model_fields) == {*needed, *own, *LIKE_EVERY, "stacking", "group"}, kind


@pytest.mark.parametrize("kind", sorted(OWN))
def test_come_back_from_their_form_as_they_were(kind):
    seen = []

    @settings(max_examples=25, deadline=None, database=None, derandomize=True)
    @given(sold(kind))
    def any_of_them(one):
        if one is None:
            return
        seen.append(one)
        kept = one.model_dump(mode="json")
        shown = KindForm(kind=kind, sold=kept, currencies=["EUR", "JPY"])
        form = KindForm(typed(shown), kind=kind, sold=kept, currencies=["EUR", "JPY"])
        assert form.is_valid(), (kept, form.errors)
        assert form.checked == one

    any_of_them()
    assert len(seen) >= 3


@pytest.mark.parametrize(("given", "kept"), [({"skus": []}, None), ({"maximum": {}}, None), ({"skus": [" A "]}, {"A"})])
def test_are_kept_as_a_form_can_say_them(given, kept):
    """However they come in: an empty list that may be none is none, and no blanks stand around a word."""
    (name,) = given
    assert getattr(kinds.check("percent_discount", {"percent": "5", **given}), name) == kept


@pytest.mark.parametrize("text", ["two\nlines", "two\u2028lines", " ", ""])
def test_cannot_hold_what_no_line_of_a_form_can(text):
    with pytest.raises(kinds.BadSettings):
        kinds.check("percent_discount", {"percent": "5", "skus": [text]})
