"""The form of every kind: what it shows comes back as it was, and what is wrong is said where it stands."""

from typing import Any

import pytest

from perks import kinds
from perks.kind_forms import KindForm

VALUED = {"worth": {"share": 50, "fixed": {"EUR": 1250, "JPY": 2000}}, "cost": {"fixed": {"EUR": 600}}}
LIMITED = {"allowance": {"uses": 3, "every": "quarter", "carry_over": True}, "in_grace": "finish", "seats": "each"}
SETTINGS = [
    ("concierge", {}),
    ("concierge", {"channels": ["phone", "chat"], "first_answer_hours": 4, **LIMITED, **VALUED}),
    ("early_access", {"hours": 48, "sales": ["winter-sale", "a, b"]}),
    ("free_shipping", {"countries": ["NL", "BR"], "methods": ["standard"], "maximum": {"EUR": 495, "JPY": 0}}),
    ("free_shipping", {"stacking": "best_of_group", "group": "delivery", "currencies": ["EUR", "CHF"]}),
    ("percent_discount", {"percent": "2.5", "skus": ["A", "B"], "excluded_categories": ["c"], "not_on_sale": True}),
    ("service", {"service": {"en": "Gift wrap", "de": "Geschenkpapier"}, "fail_mode": "allow"}),
    ("guest_pass", {"opens": {"en": "Lounge"}, "guests": 2, "allowance": {"uses": 2}}),
    ("extended_returns", {"days": 60, "not_on_sale": True}),
    ("birthday_gift", {"sku": "G-1", "days_before": 0}),
    ("birthday_gift", {"amount": {"EUR": 1000, "KWD": 1500}, "minimum_basket": {"EUR": 1, "KWD": 1}}),
]


def typed(form: KindForm) -> dict[str, Any]:
    """What a browser sends of the form as it is shown."""
    values = {bound.html_name: bound.value() for bound in form}
    return {
        name: value if isinstance(value, list) else str(value)
        for name, value in values.items()
        if value is not None and value is not False
    }


def form_of(kind, sold, **changes):
    shown = KindForm(kind=kind, sold=kinds.check(kind, sold).model_dump(mode="json"), currencies=["EUR", "JPY"])
    return KindForm({**typed(shown), **changes}, kind=kind, sold=sold, currencies=["EUR", "JPY"])


@pytest.mark.parametrize(("kind", "sold"), SETTINGS)
def test_gives_back_the_settings_it_shows(kind, sold):
    form = form_of(kind, sold)
    assert form.is_valid(), form.errors
    assert form.checked == kinds.check(kind, sold)


@pytest.mark.parametrize("kind", sorted(kinds.ALL))
def test_of_every_kind_has_a_label_for_every_field_and_says_what_is_missing(kind):
    form = KindForm(kind=kind, currencies=["EUR"])
    assert all(bound.label for bound in form)
    assert [len(fields) > 0 for _label, fields in form.sections()] == [True, True]
    assert sum(len(fields) for _label, fields in form.sections()) == len(form.fields)


@pytest.mark.parametrize(
    ("kind", "sold", "changes", "field", "told"),
    [
        ("extended_returns", {"days": 60}, {"days": "0"}, "days", "Must be at least 1."),
        ("extended_returns", {"days": 60}, {"days": ""}, "days", "This field is required."),
        ("percent_discount", {"percent": "5"}, {"percent": "101"}, "percent", "at most 100 percent"),
        ("percent_discount", {"percent": "5"}, {"maximum__EUR": "1.234"}, "maximum__EUR", "2 decimal places"),
        ("percent_discount", {"percent": "5"}, {"maximum__JPY": "1.5"}, "maximum__JPY", "0 decimal places"),
        ("service", {"service": {"en": "Wrap"}}, {"service__en": ""}, "service__en", "Is missing."),
        (
            "service",
            {"service": {"en": "Wrap"}},
            {"service__en": "", "service__de": "x"},
            "service__en",
            "English words",
        ),
        ("concierge", {}, {"channels": []}, "channels", "Needs at least one entry."),
        ("concierge", {}, {"allowance__uses": "0"}, "allowance__uses", "Must be at least 1."),
        ("concierge", {}, {"group": "a"}, "__all__", "Name a group exactly when"),
        ("free_shipping", {}, {"countries": ["nl"]}, "countries", "not one of the available choices"),
        ("birthday_gift", {"sku": "A"}, {"amount__EUR": "10"}, "__all__", "either an article or a sum"),
    ],
)
def test_says_what_is_wrong_where_it_stands(kind, sold, changes, field, told):
    form = form_of(kind, sold, **changes)
    assert not form.is_valid()
    assert list(form.errors) == [field]
    assert told in form.errors[field][0]


def test_takes_money_in_units_of_its_currency():
    form = form_of("free_shipping", {}, maximum__EUR="4.95", maximum__JPY="900")
    assert form.is_valid()
    assert form.checked.maximum == {"EUR": 495, "JPY": 900}


def test_an_allowance_without_a_number_is_none():
    form = form_of("concierge", {"allowance": {"uses": 3}}, allowance__uses="")
    assert form.is_valid()
    assert form.checked.allowance is None
