"""What travels, and what Stripe says to a call that is wrong."""

from __future__ import annotations

import pytest
import stripe

from billing.emulator import wire
from billing.emulator.client import InProcessClient


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a=1&b=x%20y", {"a": "1", "b": "x y"}),
        ("a[b]=1&a[c][d]=2", {"a": {"b": "1", "c": {"d": "2"}}}),
        ("a[0]=x&a[1]=y", {"a": ["x", "y"]}),
        ("a[]=x&a[]=y", {"a": ["x", "y"]}),
        ("a[0][b]=1&a[0][c]=2&a[1][b]=3", {"a": [{"b": "1", "c": "2"}, {"b": "3"}]}),
        ("a=", {"a": ""}),
        ("a=1&a[b]=2", {"a": "1"}),
        ("", {}),
    ],
)
def test_form_text_becomes_nested_data(text, data):
    assert wire.decode_form(text) == data


class TestAWrongCall:
    def test_with_an_unknown_parameter_is_told_its_name(self, api):
        with pytest.raises(stripe.InvalidRequestError, match="Received unknown parameter: favourite") as refusal:
            api.customers.create({"favourite": "blue"})
        assert (refusal.value.http_status, refusal.value.code) == (400, "parameter_unknown")

    def test_with_a_nested_unknown_parameter_is_told_where(self, api, open_session):
        with pytest.raises(stripe.InvalidRequestError, match=r"subscription_data\[colour\]"):
            open_session(subscription_data={"colour": "blue"})

    def test_without_a_required_parameter_is_told_which(self, api):
        with pytest.raises(stripe.InvalidRequestError, match=r"Missing required param: name\.") as refusal:
            api.products.create({})
        assert refusal.value.param == "name"

    def test_with_a_value_out_of_an_enum_is_told_the_enum(self, api, open_session):
        with pytest.raises(stripe.InvalidRequestError, match="Invalid mode: must be one of payment, setup or sub"):
            open_session(mode="gift")

    def test_with_text_for_a_number_is_told_so(self, api):
        with pytest.raises(stripe.InvalidRequestError, match="Invalid integer: many"):
            api.customers.list({"limit": "many"})

    def test_for_a_missing_object_answers_404(self, api):
        with pytest.raises(stripe.InvalidRequestError, match="No such customer: 'cus_0'") as refusal:
            api.customers.retrieve("cus_0")
        assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")

    def test_naming_a_missing_object_in_a_parameter_answers_400(self, api, open_session):
        with pytest.raises(stripe.InvalidRequestError, match="No such price: 'price_0'") as refusal:
            open_session(line_items=[{"price": "price_0", "quantity": 1}])
        assert (refusal.value.http_status, refusal.value.param) == (400, "line_items[0][price]")

    def test_with_what_only_the_real_stripe_can_do_is_told_loudly(self, open_session):
        with pytest.raises(stripe.InvalidRequestError, match="The local Stripe does not support"):
            open_session(mode="setup")

    @pytest.mark.parametrize(
        ("key", "words"),
        [("sk_live_abc", "never a live one"), ("whatever", "Invalid API Key provided: whatever")],
    )
    def test_with_a_wrong_key_answers_401(self, db, key, words):
        client = stripe.StripeClient(key, http_client=InProcessClient())
        with pytest.raises(stripe.AuthenticationError, match=words):
            client.v1.accounts.retrieve_current()


class TestLists:
    def test_are_newest_first_and_paged(self, api):
        made = [api.customers.create({"email": f"{i}@example.com"}).id for i in range(5)]

        first = api.customers.list({"limit": 2})

        assert [one.id for one in first.data] == [made[4], made[3]]
        assert first.has_more
        assert [one.id for one in first.auto_paging_iter()] == made[::-1]

    def test_go_back_with_ending_before(self, api):
        made = [api.customers.create({}).id for _ in range(4)]

        page = api.customers.list({"limit": 2, "ending_before": made[0]})

        assert [one.id for one in page.data] == [made[2], made[1]]
        assert page.has_more

    def test_refuse_more_than_a_hundred(self, api):
        with pytest.raises(stripe.InvalidRequestError, match="less than or equal to 100"):
            api.customers.list({"limit": 101})

    def test_can_be_asked_by_time(self, api, clock):
        api.customers.create({})
        clock.move(days=1)
        late = api.customers.create({})

        page = api.customers.list({"created": {"gte": late.created}})

        assert [one.id for one in page.data] == [late.id]


class TestExpand:
    def test_puts_objects_in_the_place_of_ids(self, api, bought):
        page = api.subscriptions.list({"expand": ["data.latest_invoice", "data.customer"]})
        assert page.data[0].latest_invoice.id == bought.invoice.id
        assert page.data[0].customer.email == "ada@example.com"

    def test_shows_lists_that_are_left_out_otherwise(self, api, bought):
        assert "line_items" not in api.checkout.sessions.retrieve(bought.id)
        shown = api.checkout.sessions.retrieve(bought.id, {"expand": ["line_items"]})
        assert shown.line_items.data[0].amount_total == 11900

    def test_refuses_what_cannot_be_expanded(self, api, ada):
        with pytest.raises(stripe.InvalidRequestError, match="This property cannot be expanded"):
            api.customers.retrieve(ada.id, {"expand": ["wishes"]})

    def test_asks_the_database_once_a_step(self, api, open_session, pay, django_assert_max_num_queries):
        for _ in range(4):
            pay(open_session())
        with django_assert_max_num_queries(4, using="local_stripe"):
            api.subscriptions.list({"expand": ["data.latest_invoice"]})
