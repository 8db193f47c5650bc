"""Everything about oneself in one file: nothing that leads to a person is forgotten, and no secret is in it."""

from __future__ import annotations

import io
import json
import time
import zipfile

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from membership import cards, messages, notes, own_data
from membership.models import AuditEntry, Member, User
from perks.concierge import asking
from perks.concierge.files import Checked
from perks.models import ConciergeEntry
from tests import factories
from tests.console import clerks
from tests.perks.conftest import joined, laurel, shop  # noqa: F401

pytestmark = pytest.mark.django_db
OF_A_PERSON = {User, Member}
NOBODYS = {Group, Permission}  # Django's rights, which nobody here has


def leads_to_a_person(model, seen=()) -> bool:
    """Whether rows of it belong to somebody, by a key of its own or of what it hangs on."""
    if model in OF_A_PERSON:
        return True
    related = {f.related_model for f in model._meta.concrete_fields if f.is_relation and f.related_model}
    return any(one not in seen and leads_to_a_person(one, (*seen, model)) for one in related)


def test_every_model_that_leads_to_a_person_is_told_or_left_out_with_a_reason():
    there = {m for m in apps.get_models() if leads_to_a_person(m) and not m.__module__.startswith("billing.emulator")}
    told = {part.model for part in own_data.parts}
    missing = {m._meta.label for m in there - told - set(own_data.left_out) - NOBODYS}
    assert missing == set()
    assert not told & set(own_data.left_out)
    assert all(reason.strip() for reason in own_data.left_out.values())


@pytest.fixture
def ada(joined, shop, clock):  # noqa: F811
    """Somebody of whom there is a little of everything, and somebody else of whom nothing may be told."""
    member = joined("gold-year").member
    other = joined("gold-year", member=factories.member("Grace Hopper", at=clock.now)).member
    for one, order in ((member, "A-1"), (other, "GRACE-1")):
        check = shop.check(member={"number": one.number}, basket=BASKET)
        assert shop.ask_to_hold(check, "free-shipping", order=order).status_code == 200
        cards.first_or_current(member=one, at=clock.now, actor="system")
        messages.write(key=f"w{one.pk}", kind="welcome", member=one, at=clock.now, context={"tier": "Gold"})
    picture = Checked(name="coat.png", media_type="image/png", content=b"png")
    request = asking.ask(member=member, subject="A scarf", text="Something green", at=clock.now, file=picture)
    ConciergeEntry.objects.create(
        request=request, kind="note", at=clock.now, text="difficult customer", staff=clerks.hired()
    )
    notes.write(member=member, text="secret of colleagues", once="1", at=clock.now, actor="staff:1")
    Authenticator.objects.create(user=member.user, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    member.user.set_password("correct horse battery")
    member.user.save()
    return member


BASKET = {
    "currency": "EUR",
    "lines": [{"id": "1", "sku": "COAT-9", "quantity": 1, "unit_amount": 12900, "categories": ["coats"], "sale": None}],
    "shipping": {"country": "NL", "method": "standard", "amount": 495},
    "discounts": [],
}


def browser(member, *, ago=0.0):
    """Theirs; so many seconds ago they showed who they are."""
    return clerks.logged_in(member.user, {"method": "password", "at": time.time() - ago, "reauthenticated": True})


def let_go(answer):
    """Close its file; `answer.close()` would end the request too, and with it the test's database."""
    for close in answer._resource_closers:
        close()


def taken(answer):
    assert answer.status_code == 200
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    let_go(answer)
    return json.loads(archive.read("data.json")), archive


def test_the_file_tells_all_of_oneself_and_nothing_of_anybody_else(ada, clock):
    answer = browser(ada).post("/portal/data/")
    assert answer["Content-Disposition"] == f'attachment; filename="my-data-{clock.now:%Y-%m-%d}.zip"'
    assert "no-store" in answer["Cache-Control"]
    told, archive = taken(answer)
    text = json.dumps(told)
    assert [row["number"] for row in told["member"]] == [ada.number]
    assert told["terms"][0]["ends_at"] == "2027-03-02T10:00:00+00:00"
    assert told["perks_used"][0]["order_ref"] == "A-1"
    assert told["perk_checks"][0]["question"]["basket"]["lines"][0]["sku"] == "COAT-9"
    assert [(row["kind"], row["text"]) for row in told["concierge_letters"]] == [("question", "Something green")]
    (name,) = [name for name in archive.namelist() if name.startswith("files/")]
    assert (name.endswith("-coat.png"), archive.read(name)) == (True, b"png")
    for stranger in ("GRACE-1", "Grace Hopper"):
        assert stranger not in text
    for secret in (
        "secret of colleagues",
        "difficult customer",
        "JBSWY3DPEHPK3PXP",
        ada.user.password,
        "pbkdf2",
        "argon2",
    ):
        assert secret not in text
    assert AuditEntry.objects.filter(verb="take_own_data").count() == 1


def test_codes_are_not_told_again(ada, clock):
    messages.write(key="c", kind="account_login_code", member=ada, at=clock.now, context={"code": "ABC123"})
    ada.messages.update(done_at=clock.now)
    told, _ = taken(browser(ada).post("/portal/data/"))
    code = next(mail for mail in told["mails"] if mail["kind"] == "account_login_code")
    assert (code["text"], code["subject"]) == ("", "")
    assert "ABC123" not in json.dumps(told)
    assert next(mail for mail in told["mails"] if mail["kind"] == "welcome")["text"]


def test_who_logged_in_long_ago_is_asked_who_is_there(ada, client):
    asked = browser(ada, ago=3600).post("/portal/data/")
    assert (asked.status_code, "reauthenticate" in asked.url) == (302, True)
    assert client.post("/portal/data/").url.startswith("/account/login/")


def test_looking_takes_nothing_and_ten_a_day_are_enough(ada):
    person = browser(ada)
    assert "Download my data" in person.get("/portal/data/").content.decode()
    assert not AuditEntry.objects.filter(verb="take_own_data").exists()
    answers = [person.post("/portal/data/") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    for answer in answers[:10]:
        let_go(answer)


def test_an_account_that_never_joined_has_its_own_too(db):
    user = factories.user()
    record = {"method": "password", "at": time.time(), "reauthenticated": True}
    told, _ = taken(clerks.logged_in(user, record).post("/portal/data/"))
    assert told["account"][0]["email"] == user.email
    assert told["memberships"] == []


def test_it_costs_a_question_a_part(ada, django_assert_max_num_queries):
    with django_assert_max_num_queries(len(own_data.parts) + 5):
        own_data.zipped(ada.user, at=ada.created_at).close()
