"""The forms of the ground floor: allauth's, in this house's words, and the member's own settings."""

from __future__ import annotations

import zoneinfo
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from allauth.account import forms as account_forms
from allauth.account.internal.flows import signup as signup_flow
from allauth.core import context
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as webauthn_forms
from django import forms
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from membership import birthdays, clock, limits, signup
from membership.models import Member, User
from membership.templatetags.vip import browser

if TYPE_CHECKING:
    from datetime import date

    from django.http import HttpRequest, HttpResponse

SIGNUPS_PER_HOUR = 120  # from one address: a shop's own wi-fi may be behind it

LABELS = {
    "name": _("Your name"),
    "login": _("E-mail address"),
    "email": _("E-mail address"),
    "password": _("Password"),
    "password1": _("Password"),
    "password2": _("Password, once more"),
    "oldpassword": _("Your present password"),
    "code": _("Code"),
    "passwordless": _("Log in with this passkey alone, without a password"),
}


# As the zone database names them. Older names (US/Eastern) are taken when a browser says so, and not offered.
REGIONS = {
    "Africa": _("Africa"),
    "America": _("America"),
    "Antarctica": _("Antarctica"),
    "Arctic": _("Arctic"),
    "Asia": _("Asia"),
    "Atlantic": _("Atlantic"),
    "Australia": _("Australia"),
    "Europe": _("Europe"),
    "Indian": _("Indian Ocean"),
    "Pacific": _("Pacific"),
}


class Plain:
    """A form of allauth in this house's words: labels above the fields, nothing faint inside them."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = LABELS.get(name, field.label)
            if name in ("password", "oldpassword"):
                field.help_text = ""  # the way to a new password stands on the page itself
            if name == "password1":
                field.help_text = _("At least 10 characters. A few words in a row make a good one.")
            if name == "code":
                field.widget.attrs |= {"autocomplete": "one-time-code", "autocapitalize": "characters"}


class NameField(forms.CharField):
    """A person's name: any letters, no marks that nobody sees."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=120, widget=forms.TextInput({"autocomplete": "name"}), **kwargs)

    def to_python(self, value: Any) -> str:
        return signup.tidy(super().to_python(value) or "")


class SignupForm(Plain, account_forms.SignupForm):  # type: ignore[misc]
    """Name, e-mail, password. Language comes from the page, the zone from the browser (site.js)."""

    field_order = ["name", "email", "password1"]
    name = NameField()
    time_zone = forms.CharField(required=False, widget=forms.HiddenInput({"data-browser-zone": ""}))

    def clean_time_zone(self) -> str:
        """A zone that is not one is no reason to refuse anybody."""
        zone = self.cleaned_data["time_zone"]
        return zone if zone in zones() else settings.VIP_HOME_ZONE

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """One account and its person on the roll, or neither. A taken address gets a mail, and the page tells nothing.

        Two sign-ups at once with one address: the second meets the constraint and is treated as taken. The password
        is hashed first, for a taken address too, which is then no faster: hashing is slow by intent, and inside the
        transaction everybody who writes would wait for it.
        """
        address = limits.address_of(request)
        limits.hit(f"signup:{address}", limit=SIGNUPS_PER_HOUR, per=timedelta(hours=1), at=clock.wall())
        self.hashed = make_password(self.cleaned_data.pop("password1"))
        try:
            with transaction.atomic():
                user, response = super().try_save(request)
        except IntegrityError:
            return None, signup_flow.prevent_enumeration(request, email=self.cleaned_data["email"])
        return user, response

    def custom_signup(self, request: HttpRequest, user: User) -> None:
        user.password = self.hashed
        user.language = (translation.get_language() or settings.LANGUAGE_CODE)[:2]
        user.time_zone = self.cleaned_data["time_zone"]
        user.save(update_fields=["password", "language", "time_zone"])
        signup.create_member(user=user, name=self.cleaned_data["name"], at=clock.now())


class LoginForm(Plain, account_forms.LoginForm):  # type: ignore[misc]
    pass


class RequestLoginCodeForm(Plain, account_forms.RequestLoginCodeForm):  # type: ignore[misc]
    pass


class ConfirmLoginCodeForm(Plain, account_forms.ConfirmLoginCodeForm):  # type: ignore[misc]
    pass


class ConfirmEmailForm(Plain, account_forms.ConfirmEmailVerificationCodeForm):  # type: ignore[misc]
    pass


class ConfirmResetForm(Plain, account_forms.ConfirmPasswordResetCodeForm):  # type: ignore[misc]
    pass


class ResetForm(Plain, account_forms.ResetPasswordForm):  # type: ignore[misc]
    pass


class NewPasswordForm(Plain, account_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    pass


class ChangePasswordForm(Plain, account_forms.ChangePasswordForm):  # type: ignore[misc]
    pass


class SetPasswordForm(Plain, account_forms.SetPasswordForm):  # type: ignore[misc]
    pass


class ReauthenticateForm(Plain, account_forms.ReauthenticateForm):  # type: ignore[misc]
    """Nothing else stands on its page, so whoever comes can type at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].widget.attrs["autofocus"] = True


class ChangeEmailForm(Plain, account_forms.AddEmailForm):  # type: ignore[misc]
    pass


class SecondStepForm(Plain, mfa_forms.AuthenticateForm):  # type: ignore[misc]
    pass


class SecondStepAgainForm(Plain, mfa_forms.ReauthenticateForm):  # type: ignore[misc]
    pass


class ActivateAppForm(Plain, totp_forms.ActivateTOTPForm):  # type: ignore[misc]
    pass


class PasskeyForm(Plain, webauthn_forms.AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey. It logs in alone unless the box is cleared (then it is a second step only)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("What you call it")
        self.initial["name"] = browser(context.request.headers.get("User-Agent", ""))
        self.fields["passwordless"].initial = True
        self.fields["passwordless"].help_text = _("Your device asks for your fingerprint, face or PIN each time.")


class RenamePasskeyForm(Plain, webauthn_forms.EditWebAuthnForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("What you call it")


@cache
def zones() -> list[str]:
    """The zones that people live in, by name, and UTC, which some browsers report."""
    elsewhere = ("Etc/", "posix/", "right/")
    return ["UTC", *sorted(z for z in zoneinfo.available_timezones() if "/" in z and not z.startswith(elsewhere))]


def _zones_by_region(own: str) -> list[tuple[Any, Any]]:
    """Regions with their places, for a list that can be found through; `own` is in it whatever it is called."""
    grouped: dict[str, list[tuple[str, str]]] = {}
    for zone in zones():
        region, _slash, place = zone.partition("/")
        if region in REGIONS:
            grouped.setdefault(region, []).append((zone, place.replace("_", " ").replace("/", ", ")))
    listed = {zone for places in grouped.values() for zone, _place in places}
    alone = dict.fromkeys([*([own] if own not in listed else []), "UTC"])
    return [*((zone, zone) for zone in alone), *((REGIONS[region], places) for region, places in grouped.items())]


class SettingsForm(forms.Form):
    """What a member may say about themselves: name, language, time zone, what shops may know, what we write."""

    OF_A_MEMBER = ("name", "birthday", "sale_letters", "found_by_email")

    name = NameField(label=_("Your name"))
    birthday = forms.DateField(
        label=_("Your birthday"),
        help_text=_("Only if you like: some memberships bring a gift. You can tell it once."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        required=False,
    )
    language = forms.ChoiceField(label=_("Language"), choices=User.Language.choices)
    time_zone = forms.ChoiceField(label=_("Time zone"), help_text=_("Dates and times are shown in it."))
    sale_letters = forms.BooleanField(
        label=_("Write to me when a sale opens for me before it opens to everybody"), required=False
    )
    found_by_email = forms.BooleanField(
        label=_("Shops may see my membership by my e-mail address alone"),
        help_text=_("Without this, a shop that knows your address asks you for a code that we mail to you."),
        required=False,
    )

    def __init__(self, data: Any = None, *, user: User, member: Member | None) -> None:
        self.user, self.member = user, member
        own = {name: getattr(member, name) for name in self.OF_A_MEMBER} if member else {}
        super().__init__(data, initial={**own, "language": user.language, "time_zone": user.time_zone})
        self.fields["time_zone"].choices = _zones_by_region(user.time_zone)  # type: ignore[attr-defined]
        for name in () if member else self.OF_A_MEMBER:
            del self.fields[name]
        if member and member.birthday:
            self.fields["birthday"].disabled = True

    def clean_birthday(self) -> date | None:
        given: date | None = self.cleaned_data["birthday"]
        if given and not birthdays.possible(given, clock.now()):
            raise forms.ValidationError(_("Nobody can have been born on that day."))
        return given

    @transaction.atomic
    def save(self) -> None:
        self.user.language = self.cleaned_data["language"]
        self.user.time_zone = self.cleaned_data["time_zone"]
        self.user.save(update_fields=["language", "time_zone"])
        if self.member:
            actor = f"member:{self.member.pk}"
            signup.rename_member(member=self.member, name=self.cleaned_data["name"], at=clock.now(), actor=actor)
            chosen = {name: self.cleaned_data[name] for name in ("sale_letters", "found_by_email")}
            signup.choose(member=self.member, **chosen, at=clock.now(), actor=actor)
            if given := self.cleaned_data["birthday"]:
                birthdays.tell(member=self.member, birthday=given, at=clock.now(), actor=actor)
