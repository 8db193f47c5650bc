"""Seats and services, booked in the portal and by staff; full makes a list, a seat given back is the first one's."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from membership import lifecycle, stories
from membership.models import AuditEntry, Message
from membership.signals import membership_changed
from perks import ledger, seats, tasks
from perks.models import Event, Redemption, WaitingPlace
from perks.savings import ALWAYS, NEVER
from tests.console.test_membership_acts import Desk as ActDesk
from tests.console.test_membership_acts import said
from tests.perks.concierge.conftest import Desk, Person, plain
from tests.perks.conftest import basket, number
from tests.perks.redeeming import wrong

pytestmark = pytest.mark.django_db
CODE = "workshop-knitwear"
AT = f"/portal/bookings/events/{CODE}/"


@pytest.fixture
def event(laurel):
    """A workshop with two places."""
    Event.objects.update(places=2)
    return Event.objects.get()


@pytest.fixture
def people(event, joined):
    return [Person(joined("gold-year").member) for _ in range(4)]


def book(person: Person, once: str = "") -> str:
    answer = person.client.post(AT, {"once": once or f"o{person.member.pk}"}, follow=True)
    return plain(answer)


def seated(event: Event) -> list[int]:
    return [use.member_id for use in seats.seated(event)]


def waiting(event: Event) -> list[int]:
    return [place.member_id for place in seats.waiting(event)]


def mails(person: Person) -> list[str]:
    return list(
        Message.objects.filter(member=person.member, kind="event_seat").order_by("pk").values_list("subject", flat=True)
    )


class TestBooking:
    def test_is_kept_counted_and_told_by_mail(self, event, people):
        ada = people[0]
        assert "2 seats left" in ada.page("/portal/bookings/")
        assert "Your seat is booked." in book(ada)
        assert "A seat is kept for you." in ada.page("/portal/bookings/")
        assert mails(ada) == ["Your seat: Workshop: caring for knitwear"]
        (use,) = ledger.uses(member=ada.member, since=ALWAYS, until=NEVER)
        assert (use.perk, use.worth, use.cost) == ("workshops", 3500, 1200)
        assert wrong() == set()

    def test_sent_twice_is_one_seat(self, event, people):
        book(people[0], "once")
        book(people[0], "once")
        assert seated(event) == [people[0].member.pk]

    def test_a_second_seat_is_refused(self, event, people):
        book(people[0], "a")
        assert "There is a seat for this event already." in book(people[0], "b")
        assert Redemption.objects.filter(status="committed").count() == 1

    def test_who_does_not_hold_the_perk_reads_which_tier_does(self, event, joined):
        bob = Person(joined("silver-year").member)
        assert "Gold" in bob.page("/portal/bookings/")
        assert bob.client.post(AT, {"once": "x"}).status_code == 404


class TestWaitingList:
    @pytest.fixture
    def full(self, event, people):
        for person in people:
            book(person)
        return event

    def test_is_joined_in_order_where_every_seat_is_taken(self, full, people):
        assert len(seated(full)) == 2
        assert waiting(full) == [people[2].member.pk, people[3].member.pk]
        assert "You are number 2 on the waiting list." in people[3].page("/portal/bookings/")
        assert "You are number 2" in book(people[3])  # asked again, they stand where they stood

    def test_a_seat_given_back_is_the_first_waiting_members(self, full, people, clock):
        people[0].client.post(f"{AT}give-back/")
        call_command("tick")
        assert (seated(full), waiting(full)) == ([people[2].member.pk, people[1].member.pk], [people[3].member.pk])
        assert mails(people[2])[-1] == "Your seat: Workshop: caring for knitwear"
        assert (
            "a seat has come free, and it is yours" in Message.objects.filter(member=people[2].member).latest("pk").text
        )
        assert ledger.uses(member=people[0].member, since=ALWAYS, until=NEVER) == []
        assert wrong() == set()

    def test_nobody_gets_ahead_while_the_worker_is_away(self, full, people, joined, shop):
        people[0].client.post(f"{AT}give-back/")
        late = Person(joined("gold-year").member)
        assert "You are on the waiting list." in book(late)
        line = {"id": "1", "sku": CODE, "quantity": 1, "unit_amount": 0}
        asked = {"member": number(late.member.memberships.get()), "basket": basket(lines=[line])}
        assert shop.reason("workshops", **asked) == "full"  # a shop's checkout neither
        assert waiting(full)[0] == people[2].member.pk

    def test_who_leaves_it_makes_room(self, full, people):
        people[2].client.post(f"{AT}leave/")
        people[0].client.post(f"{AT}give-back/")
        tasks.seat_waiting(full.pk)
        assert people[3].member.pk in seated(full)

    def test_whose_membership_holds_it_no_more_is_passed_over_and_told(self, full, people, clock):
        membership = people[2].member.memberships.get()
        lifecycle.suspend(membership=membership, source="staff", source_ref="x", at=clock.now, actor="staff:1")
        people[0].client.post(f"{AT}give-back/")
        tasks.seat_waiting(full.pk)
        assert people[3].member.pk in seated(full)
        assert WaitingPlace.objects.get(member=people[2].member).status == "passed"
        assert mails(people[2])[-1] == "No seat for you: Workshop: caring for knitwear"

    def test_after_the_booking_has_closed_nothing_moves(self, full, people, clock):
        clock.move_to(full.booking_closes_at)
        answer = people[0].client.post(f"{AT}give-back/", follow=True)
        assert "The booking has closed" in plain(answer)
        seats.sweep(at=clock.now)
        assert len(waiting(full)) == 2

    def test_given_twice_by_two_workers_it_is_one_seat(self, full, people, clock):
        people[0].client.post(f"{AT}give-back/")
        tasks.seat_waiting(full.pk)
        tasks.seat_waiting(full.pk)
        assert (len(seated(full)), len(waiting(full))) == (2, 1)


class TestService:
    def test_is_booked_in_the_portal_where_its_kind_allows(self, joined):
        ada = Person(joined("gold-year").member)
        at = "/portal/bookings/services/alterations/"
        for _ in range(2):
            answer = ada.client.post(at, {"once": "same"}, follow=True)
        assert "It is booked." in plain(answer)
        (use,) = ledger.uses(member=ada.member, since=ALWAYS, until=NEVER)
        assert (use.perk, use.worth) == ("alterations", 2500)
        ada.client.post(at, {"once": "b"})
        assert "This perk has been used up for now." in plain(ada.client.post(at, {"once": "c"}, follow=True))
        assert Redemption.objects.count() == 2

    def test_is_not_where_it_does_not(self, joined):
        membership = joined("gold-year")
        grant = membership.grants.get(perk__code="alterations", term__isnull=False)
        grant.settings |= {"in_portal": False}
        grant.save()
        membership_changed.send(sender=type(membership), membership=membership, at=membership.reserved_at)
        ada = Person(membership.member)
        assert "Ask for it in the shop" in ada.page("/portal/bookings/")
        assert ada.client.post("/portal/bookings/services/alterations/", {"once": "x"}).status_code == 404


class TestByStaff:
    @pytest.fixture
    def ada(self, event, joined):
        return Person(joined("gold-year").member)

    def test_a_seat_is_previewed_booked_and_given_back(self, ada, event):
        desk = ActDesk()
        page = desk.look("book", what=f"event:{CODE}")
        assert said(page)[0].startswith("The member has a seat: Workshop: caring for knitwear, ")
        assert (desk.confirm(page).status_code, len(seated(event))) == (302, 1)
        assert AuditEntry.objects.get(verb="seat_booked").data["reason"] == "parcel came late"
        use = Redemption.objects.get()
        assert said(desk.look("unbook", what=f"use:{use.pk}"))[0].startswith("It is given back, and counts no more")
        desk.do("unbook", what=f"use:{use.pk}")
        assert seated(event) == []
        words = [line.words for line in stories.of(ada.member, group="perks").lines]
        assert words == [
            "A seat was given back: Workshop: caring for knitwear.",
            "A seat was booked: Workshop: caring for knitwear.",
        ]

    def test_a_service_is_booked_and_taken_back(self, ada):
        desk = ActDesk()
        assert said(desk.look("book", what="service:alterations"))[:2] == [
            "One use of the service is booked.",
            "It takes one of 2 uses that are left.",
        ]
        desk.do("book", what="service:alterations")
        desk.do("unbook", what=f"use:{Redemption.objects.get().pk}")
        assert ledger.uses(member=ada.member, since=ALWAYS, until=NEVER) == []
        assert wrong() == set()

    def test_the_event_page_shows_who_sits_and_who_waits(self, event, people):
        for person in people:
            book(person)
        page = Desk().page(f"/console/events/{CODE}/")
        assert page.count('href="/console/members/') == 4 + 2  # two seats, with their way back; two who wait
        assert "2 of 2" in Desk().page("/console/events/")
