"""A shop's wish to know whose e-mail address it was given, and the code by which its owner agrees."""

from __future__ import annotations

from django.db import models

from membership.models import Member
from membership.models.work import Work
from perks.models.shops import Shop


class EmailConfirmation(Work):
    """One code mailed for a shop. A row is written for every address, a member's or not: the shop cannot tell.

    The worker looks the address up, mails the code, and forgets the address; `email_key` (a keyed digest) is left to
    compare with. `member` is set by it, where there is one. Times but Work's are wall time: they guard real doors.
    """

    swept_by = "mail shops' codes"

    id = models.CharField(max_length=32, primary_key=True)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="confirmations")
    email = models.EmailField(max_length=254, blank=True)
    email_key = models.CharField(max_length=64)
    language = models.CharField(max_length=5)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    guesses = models.PositiveSmallIntegerField(default=0)
    expires_wall = models.DateTimeField()
    confirmed_wall = models.DateTimeField(null=True, blank=True)

    class Meta(Work.Meta):
        indexes = [
            *Work.Meta.indexes,
            models.Index(fields=["expires_wall"], name="confirmations_to_forget"),
        ]

    def __str__(self) -> str:
        return self.id
