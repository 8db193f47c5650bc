"""People: accounts that log in (User) and persons on the roll (Member)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from membership import clock


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A new account; `email` is kept in lower case, an absent password is an unusable one."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """An account that can log in: a member's or a member of staff's."""

    class Language(models.TextChoices):
        ENGLISH = "en", _("English")
        GERMAN = "de", _("German")

    email = models.EmailField(_("e-mail address"), max_length=254, unique=True)
    language = models.CharField(_("language"), max_length=5, choices=Language, default=Language.ENGLISH)
    time_zone = models.CharField(_("time zone"), max_length=64, default="Europe/Amsterdam")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_account_per_email")]

    def __str__(self) -> str:
        return f"user {self.pk}"  # never the address: it would reach logs


class Member(models.Model):
    """A person on the roll. The number never changes, through lapses too.

    `found_by_email`: shops that know the address are told of the membership without asking the member first.
    `sale_letters`: a mail when a sale opens for them before it does for everybody.
    """

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="member")
    number = models.CharField(max_length=10, unique=True)
    name = models.CharField(_("name"), max_length=120)
    birthday = models.DateField(_("birthday"), null=True, blank=True)
    member_since = models.DateTimeField(null=True, blank=True)
    found_by_email = models.BooleanField(default=False)
    sale_letters = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(number__regex=r"^[0-9]{10}$"), name="member_number_is_ten_digits"
            ),
        ]

    def __str__(self) -> str:
        return f"member {self.number}"


class HouseholdSeat(models.Model):
    """A seat under somebody's membership: its holder has the payer's standing while the seat is open."""

    membership = models.ForeignKey("Membership", on_delete=models.PROTECT, related_name="seats")
    holder = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="seats")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["holder"], condition=models.Q(closed_at=None), name="one_open_seat_per_member"
            ),
            models.CheckConstraint(
                condition=models.Q(closed_at=None) | models.Q(closed_at__gte=models.F("opened_at")),
                name="seat_closes_after_it_opens",
            ),
        ]


class Consent(models.Model):
    """What a member agreed to: the words themselves, their version and language, and when (proof for later)."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="consents")
    kind = models.CharField(max_length=32)
    version = models.CharField(max_length=32)
    language = models.CharField(max_length=5)
    text = models.TextField()
    given_at = models.DateTimeField()
    source_ref = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "source_ref"], name="one_consent_per_kind_and_occasion"),
        ]
