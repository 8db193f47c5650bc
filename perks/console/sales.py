"""Sales for staff: made and changed, previewed with each tier's opening. Times are those of the house's zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from membership import clock
from membership.console import steps
from membership.console.access import act, staff_of
from membership.models import Tier
from membership.roles import Permission
from membership.templatetags import vip
from perks import sale_changes
from perks.console.drafting import NamesForm
from perks.models import Sale
from perks.sale_changes import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse


class MomentField(forms.DateTimeField):
    """A local moment of the house's zone, to the minute."""

    widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class SaleForm(NamesForm):
    """A sale's names, dates and whether it is told."""

    def __init__(self, *args: Any, wanted: Wanted | None = None, **kwargs: Any) -> None:
        super().__init__(*args, names=wanted.names if wanted else None, **kwargs)
        zone = _("In the house’s time zone, %(zone)s.") % {"zone": settings.VIP_HOME_ZONE}
        self.fields["opens_at"] = MomentField(
            label=_("Opens to everybody"), help_text=zone, initial=wanted.opens_at if wanted else None
        )
        self.fields["closes_at"] = MomentField(label=_("Ends"), initial=wanted.closes_at if wanted else None)
        self.fields["published"] = forms.BooleanField(
            label=_("Shops and members may know of it"), initial=wanted.published if wanted else True, required=False
        )
        self.fields["reason"] = forms.CharField(
            label=_("Reason"),
            help_text=_("It is kept with the change."),
            max_length=200,
            widget=forms.Textarea({"rows": 2}),
        )

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or {}
        if "opens_at" in told and "closes_at" in told and told["closes_at"] <= told["opens_at"]:
            self.add_error("closes_at", _("It ends after it opens."))
        return told

    @property
    def wanted(self) -> Wanted:
        told = self.cleaned_data
        return Wanted(self.names, told["opens_at"], told["closes_at"], told["published"])


class NewSaleForm(SaleForm):
    code = forms.RegexField(
        regex=r"^[a-z0-9-]{1,40}$",
        label=_("Code"),
        help_text=_("Small letters, digits and hyphens. Shops name the sale by it; it never changes."),
        error_messages={"invalid": _("Small letters, digits and hyphens only, such as winter-26.")},
    )


@act(Permission.OFFER)
def new(request: HttpRequest) -> HttpResponse:
    at, staff = clock.now(), staff_of(request)
    with timezone.override(settings.VIP_HOME_ZONE):
        form = NewSaleForm(request.POST if request.method == "POST" else None)

        def preview(asked: dict[str, Any]) -> list[str]:
            if Sale.objects.filter(code=asked["code"]).exists():
                raise sale_changes.SaleExists
            sale_changes.check(None, form.wanted, at)
            return [*_told(asked["code"], None, form.wanted), *_letters(None, form.wanted)]

        def do(asked: dict[str, Any]) -> None:
            sale_changes.make(code=asked["code"], wanted=form.wanted, at=at, actor=staff.actor)

        step = _step(
            title=_("New sale"), button=_("Make the sale"), done=_("The sale is made."), preview=preview, do=do
        )
        return steps.take(request, step, form, staff=staff)


@act(Permission.OFFER)
def change(request: HttpRequest, code: str) -> HttpResponse:
    at, staff, sale = clock.now(), staff_of(request), Sale.objects.filter(code=code).first()
    if sale is None:
        raise Http404
    was = Wanted.of(sale)
    with timezone.override(settings.VIP_HOME_ZONE):
        form = SaleForm(request.POST if request.method == "POST" else None, wanted=was)

        def preview(asked: dict[str, Any]) -> list[str]:
            sale_changes.check(sale, form.wanted, at)
            return [*_told(code, was, form.wanted), *_letters(sale, form.wanted)]

        def do(asked: dict[str, Any]) -> None:
            sale_changes.change(sale=sale, was=was, wanted=form.wanted, at=at, actor=staff.actor)

        title = gettext("Change “%(sale)s”") % {"sale": sale.name}
        step = _step(title=title, button=_("Change the sale"), done=_("It is changed."), preview=preview, do=do)
        return steps.take(request, step, form, staff=staff)


def _step(**words: Any) -> steps.Step:
    return steps.Step(
        **words,
        about=_("How long before everybody a tier gets in is what its perk “early access” says."),
        back=f"{reverse('console-catalogue')}#sales",
        back_words=gettext("Catalogue"),
    )


def _told(code: str, was: Wanted | None, wanted: Wanted) -> Iterator[str]:
    """What it will be, beside what it was where that differs, and each tier's opening."""
    names = ", ".join(wanted.names.values())
    if was is None or was.names != wanted.names:
        yield gettext("It is called: %(names)s.") % {"names": names}
    yield _moment(gettext("It opens to everybody on %(is)s."), was.opens_at if was else None, wanted.opens_at)
    opened = sale_changes.openings(wanted, code)
    for tier in Tier.objects.order_by("-rank"):
        if tier.code in opened:
            hours = int((wanted.opens_at - opened[tier.code]).total_seconds() // 3600)
            facts = {"tier": tier.name, "day": vip.moment(opened[tier.code]), "hours": hours}
            yield gettext("For %(tier)s on %(day)s, %(hours)s h before everybody.") % facts
        else:
            yield gettext("For %(tier)s with everybody.") % {"tier": tier.name}
    yield _moment(gettext("It ends on %(is)s."), was.closes_at if was else None, wanted.closes_at)


def _moment(words: str, was: datetime | None, now: datetime) -> str:
    told = words % {"is": vip.moment(now)}
    return told if was is None or was == now else told + " " + gettext("Until now: %(was)s.") % {"was": vip.moment(was)}


def _letters(sale: Sale | None, wanted: Wanted) -> Iterator[str]:
    if not wanted.published:
        yield gettext("Shops and members do not hear of it, and nobody is written to.")
    elif sale is not None and (written := sale_changes.mailed(sale)):
        yield ngettext(
            "%(count)s member was written to already; what they were told stays so.",
            "%(count)s members were written to already; what they were told stays so.",
            written,
        ) % {"count": written}
    else:
        yield gettext(
            "Shops know it within a second. Who gets in early is written to when it opens for them, in their daytime; "
            "from the first such letter on its opening stays."
        )
