"""Perks on pages: the plans page, the portal, the API's page."""

from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from membership import lifecycle, panels
from perks import api_docs, entitlements


class TestPlansPage:
    def test_tells_what_each_tier_gets_in_plain_words(self, client, laurel):
        page = client.get(reverse("plans")).content.decode()
        assert page.count("Free standard delivery on every order") == 2
        for line in ("Every sale 48 hours before it opens to the public", "5 % off everything, always"):
            assert line in page

    def test_says_by_name_to_which_countries(self, client, laurel):
        """What is promised to "31 countries" is nobody's until they can see whether theirs is one."""
        page = client.get(reverse("plans")).content.decode()
        assert page.count("<summary>Which countries</summary>Austria, Belgium, Bulgaria") == 3
        german = client.get(reverse("plans"), headers={"accept-language": "de"}).content.decode()
        assert "<summary>Welche Länder</summary>Belgien, Bulgarien, Dänemark" in german


class TestPortal:
    def shown(self, membership, clock):
        request = RequestFactory().get("/portal/")
        return panels.render("portal", request, member=membership.member, membership=membership, at=clock.now)

    def test_tells_the_perks_and_what_is_left_of_them(self, joined, clock):
        page = self.shown(joined("gold-year"), clock)
        assert "5 % off everything, always" in page
        assert "12 left" in page
        assert "<summary>Which countries</summary>Austria, Belgium" in page

    def test_tells_from_when_a_birthday_s_gift_may_be_used(self, joined, clock):
        membership = joined("gold-year")
        type(membership.member).objects.filter(pk=membership.member_id).update(birthday="1990-12-24")
        entitlements.rebuild_all(membership=membership, at=clock.now)
        with timezone.override(membership.time_zone):
            assert "1 left, from 17 December 2026" in self.shown(membership, clock)
            clock.move_to(clock.now.replace(month=12, day=20))
            assert "1 left, new ones from 17 December 2027" in self.shown(membership, clock)

    def test_tells_none_while_the_membership_does_not_count(self, joined, clock):
        membership = joined("gold-year")
        lifecycle.suspend(membership=membership, source="fraud", source_ref="x", at=clock.now, actor="staff:1")
        assert "What you have" not in self.shown(membership, clock)


class TestApiPage:
    def test_describes_every_call_and_every_problem_without_a_script(self, client, db):
        response = client.get("/api/v1/docs")
        page = response.content.decode()
        for call in api_docs._calls():
            assert f"{call.method} {call.path}" in page
            assert call.scope
        assert "basket.lines[].unit_amount" in page
        assert page.count("<script") == 1  # the site's own
        assert "cdn" not in page
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
