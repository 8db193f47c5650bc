"""How django-allauth is bent to this product: its mails become Message rows, its words ours, e-mail changes are told.

allauth names a mail by a template prefix; here each has a kind in templates/emails/.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from membership import clock, limits, messages, search, staff, timeline
from membership.models import Member, SearchKey, User
from membership.signals import address_confirmed

if TYPE_CHECKING:
    from allauth.account.models import EmailAddress
    from django.http import HttpRequest

# What strangers can cause: counted by address, known or not, so that the count tells nothing either.
ASKED_FOR = {
    "account/email/email_confirmation": "account_verify",
    "account/email/email_confirmation_signup": "account_verify",
    "account/email/login_code": "account_login_code",
    "account/email/password_reset_code": "account_reset_code",
    "account/email/account_already_exists": "account_exists",
    "account/email/unknown_account": "account_unknown",
}
# For how many seconds the code in a mail of this kind is good.
CODE_GOOD_FOR = {
    "account_verify": settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT,
    "account_login_code": settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT,
    "account_reset_code": settings.ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT,
}
# What the holder of an account must hear of.
NOTICES = {
    "account/email/email_changed": _("Your e-mail address was changed"),
    "account/email/email_confirm": _("Your e-mail address was confirmed"),
    "account/email/email_deleted": _("An e-mail address was removed from your account"),
    "account/email/password_changed": _("Your password was changed"),
    "account/email/password_reset": _("Your password was reset"),
    "account/email/password_set": _("A password was set for your account"),
    "mfa/email/recovery_codes_generated": _("New recovery codes were made for your account"),
    "mfa/email/totp_activated": _("An authenticator app was added to your account"),
    "mfa/email/totp_deactivated": _("The authenticator app was removed from your account"),
    "mfa/email/webauthn_added": _("A passkey was added to your account"),
    "mfa/email/webauthn_removed": _("A passkey was removed from your account"),
}
MAILS_PER_HOUR = 12  # of one kind, asked for by strangers, to one address


def _spent(kind: str, email: str) -> bool:
    """Count one more mail. The page answers as ever: a refusal would tell strangers something, and would let them
    lock somebody out. By kind, so that those who ask for resets cannot use up the codes to log in."""
    try:
        limits.hit(f"mail:{kind}:{email.lower()}", limit=MAILS_PER_HOUR, per=timedelta(hours=1), at=clock.wall())
    except limits.TooMany:
        return True
    return False


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Called by allauth at every turn of an account."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": _("This account is closed."),
        "email_password_mismatch": _("This e-mail address and password do not belong together."),
        "enter_current_password": _("That is not your present password."),
        "incorrect_code": _("That code is not right. Please look at the newest mail or your app again."),
        "incorrect_password": _("That password is not right."),
        "too_many_login_attempts": _("That was tried too often. Please wait a few minutes."),
        "rate_limited": _("That was tried too often. Please wait a few minutes."),
        "email_taken": _("This address cannot be used."),
        "duplicate_email": _("This already is your address."),
    }

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Staff who are not on the roll have no portal: they begin in the console."""
        held = staff.of(request.user)
        if held and not Member.objects.filter(user=held.user_id).exists():
            return reverse("console")
        return str(super().get_login_redirect_url(request))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Keep the mail as a row; the worker sends it. Where strangers ask too often, nothing is written."""
        kind = ASKED_FOR.get(template_prefix, "account_notice")
        if template_prefix in ASKED_FOR and _spent(kind, email):
            return
        user = context.get("user") or User.objects.filter(email=email.lower()).first()
        messages.write(
            key=f"{kind}:{secrets.token_hex(12)}",
            kind=kind,
            at=clock.now(),
            member=Member.objects.select_related("user").filter(user=user).first() if user else None,
            to=email,
            language=user.language if user else (translation.get_language() or settings.LANGUAGE_CODE)[:2],
            context=self._mail_context(template_prefix, email, context) | {"minutes": CODE_GOOD_FOR.get(kind, 0) // 60},
        )

    def _mail_context(self, template_prefix: str, email: str, context: dict[str, Any]) -> dict[str, Any]:
        """What the templates of our mails may use. No HTML escaping: text is the mail, HTML is made from it."""
        known = ("code", "signup_url", "password_reset_url", "from_email", "to_email", "ip", "user_agent", "timestamp")
        named = {name: context[name] for name in known if name in context}
        what = NOTICES.get(template_prefix, _("Your account was changed"))
        return {"email": email, "what": what, **named}

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """A new address takes effect when its code is entered: the roll and the search follow in one commit."""
        with transaction.atomic():
            confirmed = bool(super().confirm_email(request, email_address))
            member = Member.objects.filter(user_id=email_address.user_id).first()
            if confirmed and member:
                self._follow(member, email_address)
        return confirmed

    def _follow(self, member: Member, email_address: EmailAddress) -> None:
        address = User.objects.get(pk=member.user_id).email
        search.replace(member=member, kind=SearchKey.Kind.EMAIL, value=address)
        timeline.write(
            member=member,
            kind="email_confirmed",
            at=clock.now(),
            actor=f"member:{member.pk}",
            data={"address": email_address.pk},
        )
        address_confirmed.send(Member, member=member, at=clock.now())
