"""What staff do for a person, with or without a membership: a new card, a mail once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from membership import cards, messages, notes
from membership.console.acts import Act, ActForm, Case, offer
from membership.models import Message
from membership.templatetags import vip

if TYPE_CHECKING:
    from django.db.models import QuerySet

REASONS = {
    cards.RevokeReason.LOST: _("Lost"),
    cards.RevokeReason.STOLEN: _("Stolen"),
    cards.RevokeReason.WORN: _("Worn"),
    cards.RevokeReason.ABUSED: _("Misused"),
}
LATEST = 20  # mails that are offered to be sent once more


class CardForm(ActForm):
    what = forms.ChoiceField(
        label=_("What became of the card"), choices=[(key.value, words) for key, words in REASONS.items()]
    )


@offer
class ReissueCard(Act):
    name, order = "card", 40
    label, button, done = _("Replace the card"), _("Issue a new card"), _("A new card stands in the member's portal.")
    about = _("The card they have is refused from then on, and a new one takes its place.")
    form = CardForm

    def fits(self, case: Case) -> bool:
        return cards.current(member=case.member) is not None

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        card = cards.current(member=case.member)
        facts = {"day": vip.day(card.issued_at), "end": str(card.pk)[-6:]} if card else {"day": "", "end": ""}
        return [
            gettext("The card of %(day)s (…%(end)s) is refused from now on, on paper too.") % facts,
            gettext("A new one stands in the member's portal at once. Nothing is charged."),
            gettext("No letter goes out: tell the member where their new card is."),
        ]

    def do(self, case: Case, asked: dict[str, Any]) -> None:
        cards.reissue(member=case.member, reason=cards.RevokeReason(asked["what"]), at=case.at, actor=case.staff.actor)


class MailForm(ActForm):
    mail = forms.ModelChoiceField(label=_("Mail"), queryset=Message.objects.none(), empty_label=None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["mail"]
        choice.queryset = resendable(self.case)
        choice.label_from_instance = lambda mail: f"{vip.moment(mail.written_at)}: {mail.subject}"


def resendable(case: Case) -> QuerySet[Message]:
    """Their mails, the newest first, without codes: those are asked for anew."""
    latest = Message.objects.filter(member=case.member).exclude(kind__in=messages.ONE_TIME).exclude(text="")
    return Message.objects.filter(pk__in=list(latest.values_list("pk", flat=True)[:LATEST]))


@offer
class ResendMail(Act):
    name, order = "mail", 45
    label, button, done = _("Send a mail once more"), _("Send it"), _("It is on its way.")
    about = _("The same words again, to the address the account has now.")
    form = MailForm

    def fits(self, case: Case) -> bool:
        return resendable(case).exists()

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        mail: Message = asked["mail"]
        facts = {"subject": mail.subject, "day": vip.day(mail.written_at), "address": case.member.user.email}
        return [gettext("“%(subject)s” of %(day)s is sent to %(address)s.") % facts]

    def do(self, case: Case, asked: dict[str, Any]) -> None:
        messages.send_again(message=asked["mail"], once=asked["once"], at=case.at, actor=case.staff.actor)


class NoteForm(ActForm):
    """The note is its own reason."""

    reason = forms.CharField(
        label=_("Note"),
        help_text=_("Colleagues read it in the member's story; the member does not. It is never changed: add another."),
        max_length=2000,
        widget=forms.Textarea({"rows": 6}),
    )


@offer
class WriteNote(Act):
    name, order = "note", 60
    label, button, done = _("Write a note"), _("Keep the note"), _("The note stands in the story.")
    about = _("What colleagues should know. Write as if the member could read it one day: they may ask for it.")
    form = NoteForm

    def fits(self, case: Case) -> bool:
        return True

    def preview(self, case: Case, asked: dict[str, Any]) -> list[str]:
        return [gettext("It is kept in the story with your name. Nobody changes it afterwards.")]

    def do(self, case: Case, asked: dict[str, Any]) -> None:
        notes.write(member=case.member, text=asked["reason"], once=asked["once"], at=case.at, actor=case.staff.actor)
