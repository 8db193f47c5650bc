"""What a clerk does for a person: a new card, a mail once more, a perk of goodwill; and every fact has its words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from membership import cards, messages, stories
from membership.models import AuditEntry, Message
from perks.models import Grant
from tests.console import clerks
from tests.console.test_membership_acts import Desk, said
from tests.perks.conftest import joined, laurel  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(joined, clock):  # noqa: F811
    """Silver since yesterday, with a card and a mail."""
    membership = joined("silver-year")
    cards.first_or_current(member=membership.member, at=clock.now, actor="system")
    messages.write(
        key="w", kind="welcome", member=membership.member, at=clock.now, context={"tier": membership.plan.tier}
    )
    clock.move(days=1)
    return membership.member


@pytest.fixture
def desk(ada):
    return Desk()


class TestCard:
    def test_is_replaced_and_the_last_one_refused(self, desk, ada):
        last = cards.current(member=ada)
        assert f"(…{str(last.pk)[-6:]}) is refused" in said(desk.look("card", what="lost"))[0]
        desk.do("card", what="lost")
        last.refresh_from_db()
        assert last.revoked_at is not None
        assert cards.current(member=ada) != last
        assert AuditEntry.objects.get(verb="issue_card", actor=desk.clerk.actor).data["reason"] == "parcel came late"

    def test_confirmed_twice_replaces_one(self, desk, ada):
        page = desk.look("card", what="lost")
        assert desk.confirm(page).status_code == 302
        assert desk.confirm(page).status_code == 409
        assert ada.cards.count() == 2


class TestMail:
    def test_goes_to_the_address_they_have_now(self, desk, ada):
        ada.user.email = "ada.king@example.org"
        ada.user.save()
        mail = Message.objects.get(kind="welcome")
        page = desk.look("mail", mail=str(mail.pk))
        assert said(page)[0].endswith("is sent to ada.king@example.org.")
        assert (desk.confirm(page).status_code, desk.confirm(page).status_code) == (302, 302)
        again = Message.objects.exclude(pk=mail.pk).get()
        assert (again.subject, again.text, again.to) == (mail.subject, mail.text, "ada.king@example.org")
        assert any(line.words == "A mail was sent once more." for line in stories.of(ada).lines)

    def test_codes_and_other_peoples_mails_are_not_offered(self, desk, ada, clock):
        code = messages.write(
            key="c", kind="account_login_code", member=ada, at=clock.now, context={"code": "X-1", "minutes": 10}
        )
        other = Message.objects.get(kind="welcome")
        Message.objects.filter(pk=other.pk).update(member=None)
        assert {desk.look("mail", mail=str(pk)).status_code for pk in (code.pk, other.pk)} == {422}


class TestGoodwill:
    def test_is_previewed_given_and_told(self, desk, ada):
        page = desk.look("goodwill", perk="standing-discount", last_day="2026-04-30")
        assert said(page)[:2] == [
            "The member gets, from now on: 5 % off everything, always.",
            "It counts until 30 April 2026, and ends by itself.",
        ]
        assert (desk.confirm(page).status_code, desk.confirm(page).status_code) == (302, 302)
        grant = Grant.objects.get(source="goodwill")
        assert (grant.reason, grant.owner) == ("parcel came late", desk.clerk.actor)
        line = stories.of(ada, group="perks").lines[0]
        assert (line.who, line.reason) == ("Vik Rao", "parcel came late")

    @pytest.mark.parametrize(
        ("last_day", "status"), [("2026-03-02", 409), ("2028-01-01", 422), ("soon", 422), ("9999-12-31", 422)]
    )
    def test_an_end_that_is_none_is_asked_for_again(self, desk, last_day, status):
        assert desk.look("goodwill", perk="standing-discount", last_day=last_day).status_code == status
        assert not Grant.objects.filter(source="goodwill").exists()


def test_a_viewer_can_do_none_of_it(ada):
    viewer = Desk("viewer")
    acts = {"card": {"what": "lost"}, "mail": {}, "goodwill": {"perk": "standing-discount"}}
    assert {viewer.look(act, **values).status_code for act, values in acts.items()} == {403}


def test_the_page_says_what_is_held_and_what_can_be_done(desk, ada):
    page = desk.client.get(f"/console/members/{ada.number}/").content.decode()
    assert '<ul class="desk-perks">' in page
    assert all(f"/{act}/" in page for act in ("card", "mail", "goodwill"))


def written_kinds() -> set[str]:
    """Kinds of entry that the sources name where they write a timeline."""
    found: set[str] = set()
    for app in ("membership", "perks", "billing"):
        for path in (Path(settings.ROOT) / app).rglob("*.py"):
            for call in re.findall(r"timeline\.write\((.*?)\n\s*\)?\n", path.read_text(encoding="utf-8"), re.DOTALL):
                found |= set(re.findall(r'kind="([\w.]+)"', call))
    return found


def test_every_kind_that_is_written_has_its_words():
    assert len(written_kinds()) > 8
    assert sorted(kind for kind in written_kinds() if not stories.known(kind)) == []


def test_nobody_without_a_desk_gets_there(ada, client):
    client.force_login(ada.user, clerks.BACKEND)
    assert client.post(f"/console/members/{ada.number}/card/", {"what": "lost"}).status_code == 404
