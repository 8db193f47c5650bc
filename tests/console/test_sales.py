"""Sales: managers make and change them; what members were written to about one is kept, and they are told so."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from membership import messages
from membership.models import AuditEntry, Message
from perks import first_access, fresh, sale_changes
from perks.models import FirstAccess, Sale
from tests.billing.test_races import at_once
from tests.console import clerks
from tests.console.test_catalogue import typed
from tests.perks.conftest import joined, laurel, shop

__all__ = ["joined", "laurel", "shop"]
pytestmark = pytest.mark.django_db
NEW, WINTER = "/console/catalogue/new-sale/", "/console/catalogue/sales/winter-sale/"
SPRING = {
    "name_en": "Spring sale",
    "name_de": "Frühlingssale",
    "code": "spring-26",
    "opens_at": "2026-03-20T09:00",
    "closes_at": "2026-04-02T00:00",
    "published": "on",
}
EARLY = "Members were written to already that it opens for them first, and when."


@pytest.fixture
def desk(laurel):
    return clerks.at_desk(clerks.hired("manager", "Mara Voss"))


@pytest.fixture
def winter(laurel, clock):
    """So far ahead that nobody is in yet."""
    opens_at = clock.now.replace(minute=0) + timedelta(days=12)
    Sale.objects.update(opens_at=opens_at, closes_at=opens_at + timedelta(days=21))
    return Sale.objects.get()


def filled(desk, **changes):
    """What a browser sends of the page's form: its moments are shown in the house's zone."""
    with timezone.override("Europe/Amsterdam"):
        sent = typed(desk.get(WINTER).context["form"])
    assert f'value="{sent["opens_at"][:16].replace(" ", "T")}"' in desk.get(WINTER).content.decode()
    return sent | {"reason": "Stock is late"} | changes


def confirm(desk, path, sent):
    first = desk.post(path, sent)
    assert first.status_code == 200, (first.context.get("problem"), first.context["form"].errors)
    answer = desk.post(path, sent | {"confirmed": first.context["mark"]})
    assert answer.status_code == 302, answer.context["problem"]
    fresh.forget_all()
    return first.context["lines"]


def refused(desk, path, sent):
    answer = desk.post(path, sent)
    return answer.status_code, answer.content.decode().replace("&#x27;", "'")


def test_a_sale_is_made_with_each_tiers_opening_and_shops_know_it(desk, shop, clock):
    lines = confirm(desk, NEW, SPRING | {"reason": "Spring"})
    assert lines[:5] == [
        "It is called: Spring sale, Frühlingssale.",
        "It opens to everybody on 20 March 2026, 09:00.",
        "For Gold on 18 March 2026, 09:00, 48 h before everybody.",
        "For Silver on 19 March 2026, 09:00, 24 h before everybody.",
        "For Bronze with everybody.",
    ]
    told = shop.call("GET", "/sales/spring-26").json()
    assert (told["opens_at"], told["tiers"]["gold"]) == ("2026-03-20T08:00:00Z", "2026-03-18T08:00:00Z")
    assert AuditEntry.objects.get(verb="make_sale").data["reason"] == "Spring"
    page = desk.get("/console/catalogue/").content.decode()
    assert "Spring sale" in page
    assert refused(desk, NEW, SPRING | {"reason": "Again"})[0] == 422


def test_one_that_is_not_published_is_known_to_nobody(desk, shop):
    sent = {k: v for k, v in SPRING.items() if k != "published"} | {"reason": "Not yet sure"}
    assert confirm(desk, NEW, sent)[-1] == "Shops and members do not hear of it, and nobody is written to."
    assert shop.call("GET", "/sales/spring-26").status_code == 404


def test_before_anybody_was_written_to_it_moves_and_the_letters_follow(desk, winter, joined, clock):
    joined("silver-year")
    first_access.invite(at=clock.now)
    moved = winter.opens_at + timedelta(days=10)
    local = (moved + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    lines = confirm(desk, WINTER, filled(desk, opens_at=local))
    assert "Until now:" in lines[0]
    winter.refresh_from_db()
    assert (winter.opens_at, winter.invited_at) == (moved, None)
    clock.move(hours=40)
    call_command("tick")
    assert not Message.objects.filter(kind="first_access").exists()
    clock.move_to(moved - timedelta(hours=24))
    call_command("tick")
    assert Message.objects.filter(kind="first_access").count() == 1


def test_once_somebody_was_written_to_only_names_and_the_end_change(desk, winter, joined, clock):
    joined("silver-year")
    clock.move_to(winter.opens_at - timedelta(hours=24))
    call_command("tick")
    assert FirstAccess.objects.get().letter is not None
    for changes in ({"opens_at": "2026-03-25T09:00"}, {"published": ""}):
        sent = {k: v for k, v in filled(desk, **changes).items() if v}
        status, page = refused(desk, WINTER, sent)
        assert (status, EARLY in page) == (409, True)
    lines = confirm(desk, WINTER, filled(desk, closes_at="2026-04-20T00:00", name_en="Winter sale, longer"))
    assert lines[0] == "It is called: Winter sale, longer, Wintersale."
    assert lines[-1] == "1 member was written to already; what they were told stays so."
    winter.refresh_from_db()
    assert winter.invited_at is not None
    assert "1 member was written to" in desk.get("/console/catalogue/").content.decode()


def test_one_that_is_open_stays_open_and_one_that_is_over_stays_over(desk, winter, clock):
    sent = filled(desk, opens_at="2026-03-25T09:00")
    clock.move_to(winter.opens_at - timedelta(hours=47))  # gold is in, and nobody holds gold
    assert "It is open already, at least for those who get in early." in refused(desk, WINTER, sent)[1]
    clock.move_to(winter.closes_at)
    assert "This sale is over." in refused(desk, WINTER, sent)[1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"closes_at": "2026-03-19T09:00"}, "It ends after it opens."),
        ({"opens_at": "2026-02-01T09:00"}, "from now on: not in the past"),
        ({"code": "winter-sale"}, "There is a sale with this code already."),
    ],
)
def test_what_cannot_be_is_said(desk, changes, said):
    status, page = refused(desk, NEW, SPRING | {"reason": "x"} | changes)
    assert (status, said in page) == (422, True)


def test_what_was_read_is_changed_or_shown_anew(desk, winter):
    sent = filled(desk, name_en="Cold sale")
    mark = desk.post(WINTER, sent).context["mark"]
    Sale.objects.update(closes_at=winter.closes_at + timedelta(days=1))
    answer = desk.post(WINTER, sent | {"confirmed": mark})
    assert (answer.status_code, Sale.objects.get().names["en"]) == (409, "Winter sale")


@pytest.mark.django_db(transaction=True)
class TestALetterAndAMoveAtOnce:
    """Either the letter tells the new moment's sale, or the sale stays as the letter tells."""

    @pytest.fixture
    def both(self, winter, joined, clock, monkeypatch):
        joined("silver-year")
        first_access.invite(at=clock.now)
        clock.move_to(winter.opens_at - timedelta(hours=24))
        was = sale_changes.Wanted.of(winter)
        moved = sale_changes.Wanted(was.names, was.opens_at + timedelta(days=5), was.closes_at, was.published)
        monkeypatch.setattr(sale_changes, "openings", lambda wanted, code: {})  # as if nobody were in yet
        meeting, write = threading.Barrier(2), messages.write

        def waits(**letter):
            with contextlib.suppress(threading.BrokenBarrierError):
                meeting.wait(1)
            return write(**letter)

        def moves():
            with contextlib.suppress(threading.BrokenBarrierError):
                meeting.wait(1)
            sale_changes.change(sale=winter, was=was, wanted=moved, at=clock.now, actor="staff:1")

        monkeypatch.setattr(messages, "write", waits)
        row = first_access.rows().get()
        return lambda: at_once(lambda: first_access.write(row, at=clock.now), moves)

    def broken(self, winter):
        """A letter was written, and the sale opens at another moment."""
        return Message.objects.filter(kind="first_access").exists() and Sale.objects.get().opens_at != winter.opens_at

    def test_keep_the_promise(self, both, winter):
        both()
        assert not self.broken(winter)

    def test_twin_without_the_lock_it_is_broken(self, both, winter, monkeypatch):
        monkeypatch.setattr(first_access, "locked", lambda sale: sale)
        monkeypatch.setattr(sale_changes, "mailed", lambda sale: 0)  # who looked before the letter was there
        both()
        assert self.broken(winter)
