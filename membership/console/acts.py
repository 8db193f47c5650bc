"""Acts: what staff do to a member from the console. Each says what will happen before it is confirmed, and why it was
done is kept in the very audit row of the change.

An app registers its acts at start (`offer`) and names their routes (`route`); the verbs they call are the product's.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.http import Http404
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from membership import clock, numbers, standing
from membership.console import access, steps
from membership.models import Member
from membership.roles import Permission

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse, QueryDict
    from django.utils.functional import _StrPromise as Words

    from membership.models import Membership, Staff


@dataclass(frozen=True, kw_only=True)
class Case:
    """Whom an act is about, when, and who acts. `once` names this one filling-in of the form, for verbs that must not
    give twice what was sent twice."""

    member: Member
    membership: Membership | None
    at: datetime
    staff: Staff
    once: str = ""

    @property
    def held(self) -> Membership:
        """The membership, in an act that fits only where there is one."""
        assert self.membership is not None
        return self.membership


class ActForm(forms.Form):
    """Every act has a reason. Fields of its own come first."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Colleagues read it in the member's story; the member does not."),
        max_length=200,
        widget=forms.Textarea({"rows": 2}),
    )
    once = forms.CharField(max_length=32, widget=forms.HiddenInput)

    def __init__(self, sent: QueryDict | None = None, *, case: Case) -> None:
        super().__init__(sent, initial={"once": secrets.token_hex(8)})
        self.case = case
        self.order_fields([name for name in self.fields if name != "reason"])


class Act:
    """One thing that staff can do. `name` stands in its address and in its route, `console-<name>`."""

    name: ClassVar[str]
    order: ClassVar[int] = 50
    label: ClassVar[Words]
    about: ClassVar[Words]
    button: ClassVar[Words]
    done: ClassVar[Words]
    permission: ClassVar[Permission] = Permission.CARE
    fresh: ClassVar[bool] = False  # asks who is there once more
    form: ClassVar[type[ActForm]] = ActForm

    @property
    def route(self) -> str:
        return f"console-{self.name}"

    def fits(self, case: Case) -> bool:
        """Whether it could be done now: only then is it offered."""
        raise NotImplementedError

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        """What will happen, in words, days and money. Raises DomainError where it cannot."""
        raise NotImplementedError

    def confirm(self, case: Case, asked: dict[str, Any]) -> str | None:
        """The button's words once it is known what will happen, where `button` would say too much."""

    def do(self, case: Case, asked: dict[str, Any]) -> str | None:
        """Do it, by the product's own verb. -> what to say in place of `done`, if anything. Raises DomainError."""
        raise NotImplementedError


_offered: list[Act] = []


def offer(act: type[Act]) -> type[Act]:
    """Register an act: it is listed on the pages of members whom it fits."""
    _offered.append(act())
    _offered.sort(key=lambda one: one.order)
    return act


def offered(staff: Staff, member: Member, own: Membership | None, at: datetime) -> list[Act]:
    """What this person may do to this member, whose own membership is at hand, now."""
    case = Case(member=member, membership=own, at=at, staff=staff)
    return [act for act in _offered if staff.may(act.permission) and act.fits(case)]


def route(act: Act) -> URLPattern:
    """The act's own address, declared with its permission."""
    return path(f"members/<int:number>/{act.name}/", _view(act), name=act.route)


def routes(app: str) -> list[URLPattern]:
    """The addresses of the acts that an app registered."""
    return [route(act) for act in _offered if type(act).__module__.startswith(f"{app}.")]


def _view(act: Act) -> access.View:
    @access.act(act.permission, fresh=act.fresh)
    def view(request: HttpRequest, number: int) -> HttpResponse:
        case = _case(request, number)
        form = act.form(request.POST if request.method == "POST" else None, case=case)
        return steps.take(request, _step(act, case, asked=form.is_bound), form, staff=case.staff)

    return view


def _step(act: Act, case: Case, *, asked: bool) -> steps.Step:
    member = case.member
    return steps.Step(
        title=act.label,
        about=act.about,
        button=act.button,
        done=act.done,
        back=reverse("console-member", args=[member.number]),
        back_words=f"{member.name}, {numbers.group(member.number)}",
        preview=lambda said: act.preview(case, said),
        confirm=lambda said: act.confirm(case, said),
        do=lambda said: act.do(case, said),
        problem="" if asked or act.fits(case) else gettext("Not possible now."),
    )


def _case(request: HttpRequest, number: int) -> Case:
    member = member_by(number)
    return Case(
        member=member,
        membership=standing.own_membership(member),
        at=clock.now(),
        staff=access.staff_of(request),
        once=request.POST.get("once", "")[:32],
    )


def member_by(number: int) -> Member:
    """The member with this number, as it stands in a console address. Raises Http404."""
    found = Member.objects.select_related("user").filter(number=f"{number:010d}").first()
    if found is None:
        raise Http404
    return found
