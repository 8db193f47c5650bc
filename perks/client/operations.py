"""One method for each operation of the API.

Written by `./run manage write_client` from the API's schema. Not to be edited.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

from . import models
from .call import Call, segment


class Operations(ABC):
    """The calls. `seconds` is what one may take altogether, its repetitions included."""

    @abstractmethod
    def _ask[T](self, call: Call, answer: type[T], *, seconds: float | None) -> T: ...

    def check_perks(
        self,
        *,
        member: models.MemberIn | None = None,
        basket: models.Basket | None = None,
        perks: Sequence[str] | None = None,
        channel: str | None = None,
        if_joined: str | None = None,
        member_clock: datetime | None = None,
        seconds: float | None = None,
    ) -> models.CheckOut:
        """What may this member get on this basket, now? A no is an answer too: 200 with `allowed: false` and a
        reason.

        `member_clock`: With test keys: answer as of this moment (2026-12-24T18:00:00Z). Refused in production.
        `if_joined`: A plan's code: what would this shopper get, had they joined just now?.
        """
        call = Call(
            "check_perks",
            "POST",
            "/api/v1/perk-checks",
            safe=True,
            repeatable=True,
            header={"X-Member-Clock": member_clock},
            body={"member": member, "basket": basket, "perks": perks, "channel": channel, "if_joined": if_joined},
        )
        return self._ask(call, models.CheckOut, seconds=seconds)

    def replay_check(
        self,
        check_id: str,
        *,
        seconds: float | None = None,
    ) -> models.ReplayOut:
        """A check as it was asked and answered, and what the rules say today. Kept 13 months."""
        call = Call(
            "replay_check",
            "GET",
            f"/api/v1/perk-checks/{segment(check_id)}",
            safe=True,
            repeatable=True,
        )
        return self._ask(call, models.ReplayOut, seconds=seconds)

    def get_member(
        self,
        number: str,
        *,
        member_clock: datetime | None = None,
        seconds: float | None = None,
    ) -> models.MemberDetail:
        """Standing, tier, perks with what is left of them, and when the next thing changes.

        `member_clock`: With test keys: answer as of this moment (2026-12-24T18:00:00Z). Refused in production.
        """
        call = Call(
            "get_member",
            "GET",
            f"/api/v1/members/{segment(number)}",
            safe=True,
            repeatable=True,
            header={"X-Member-Clock": member_clock},
        )
        return self._ask(call, models.MemberDetail, seconds=seconds)

    def tie_customer(
        self,
        number: str,
        *,
        customer_ref: str,
        seconds: float | None = None,
    ) -> models.RefOut:
        """Tie your own customer id to a member, so that later checks may use it. Repeating it changes nothing."""
        call = Call(
            "tie_customer",
            "PUT",
            f"/api/v1/members/{segment(number)}/refs",
            safe=False,
            repeatable=True,
            body={"customer_ref": customer_ref},
        )
        return self._ask(call, models.RefOut, seconds=seconds)

    def ask_for_confirmation(
        self,
        *,
        email: str,
        seconds: float | None = None,
    ) -> models.ConfirmationAsked:
        """Have a code mailed to the member with this address, for the shopper to tell you. All addresses answer
        alike.
        """
        call = Call(
            "ask_for_confirmation",
            "POST",
            "/api/v1/email-confirmations",
            safe=False,
            repeatable=False,
            body={"email": email},
        )
        return self._ask(call, models.ConfirmationAsked, seconds=seconds)

    def confirm_email(
        self,
        confirmation_id: str,
        *,
        code: str,
        seconds: float | None = None,
    ) -> models.ConfirmationOut:
        """Try the code that the shopper was mailed. Five tries; then ask for another one.

        `code`: As the shopper tells it; spaces do not matter.
        """
        call = Call(
            "confirm_email",
            "POST",
            f"/api/v1/email-confirmations/{segment(confirmation_id)}/confirm",
            safe=False,
            repeatable=False,
            body={"code": code},
        )
        return self._ask(call, models.ConfirmationOut, seconds=seconds)

    def list_perks(
        self,
        *,
        seconds: float | None = None,
    ) -> list[models.PerkOut]:
        """The published perks, with what each tier gets, in plain words."""
        call = Call(
            "list_perks",
            "GET",
            "/api/v1/perks",
            safe=True,
            repeatable=True,
        )
        return self._ask(call, list[models.PerkOut], seconds=seconds)

    def list_sales(
        self,
        *,
        member: str | None = None,
        member_clock: datetime | None = None,
        seconds: float | None = None,
    ) -> list[models.SaleOut]:
        """Sales that are not over: when each opens for the public, per tier and (with `member`) for a member.

        `member`: A member number.
        `member_clock`: With test keys: answer as of this moment (2026-12-24T18:00:00Z). Refused in production.
        """
        call = Call(
            "list_sales",
            "GET",
            "/api/v1/sales",
            safe=True,
            repeatable=True,
            query={"member": member},
            header={"X-Member-Clock": member_clock},
        )
        return self._ask(call, list[models.SaleOut], seconds=seconds)

    def get_sale(
        self,
        code: str,
        *,
        member: str | None = None,
        member_clock: datetime | None = None,
        seconds: float | None = None,
    ) -> models.SaleOut:
        """When this sale opens for a member, for the member's tier, and for the public; and whether it is open now.

        `member`: A member number.
        `member_clock`: With test keys: answer as of this moment (2026-12-24T18:00:00Z). Refused in production.
        """
        call = Call(
            "get_sale",
            "GET",
            f"/api/v1/sales/{segment(code)}",
            safe=True,
            repeatable=True,
            query={"member": member},
            header={"X-Member-Clock": member_clock},
        )
        return self._ask(call, models.SaleOut, seconds=seconds)

    def verify_card(
        self,
        *,
        token: str,
        seconds: float | None = None,
    ) -> models.CardOut:
        """Is this card good now? Unknown, forged, expired and revoked ones all get the same no.

        `token`: The token in a card's QR, or its whole URL.
        """
        call = Call(
            "verify_card",
            "POST",
            "/api/v1/cards/verify",
            safe=True,
            repeatable=True,
            body={"token": token},
        )
        return self._ask(call, models.CardOut, seconds=seconds)

    def hold_perks(
        self,
        *,
        check: str,
        order: str,
        perks: Sequence[str],
        hold_seconds: int = 1800,
        idempotency_key: str | None = None,
        seconds: float | None = None,
    ) -> models.RedemptionOut:
        """Hold the perks of a check for an order, until it is paid or abandoned. All of them are held, or none.

        What the check promised stands until its `valid_until`; the rules are not asked again. Refused with 409 is
        what changed since: a use that somebody else took (`used_up`), a membership that was stopped or ended (its
        reason, as in a check), a blocked card.

        `idempotency_key`: Yours, new for each request, the same when you repeat it: you get the same answer for
        30 days.
        `check`: The id of a perk check of yours, within its valid_until.
        `order`: Your own id of the order.
        `perks`: Codes; the check said yes to each.
        `hold_seconds`: How long to hold; as long as your slowest payment takes.
        """
        call = Call(
            "hold_perks",
            "POST",
            "/api/v1/redemptions",
            safe=False,
            repeatable=True,
            header={"Idempotency-Key": idempotency_key},
            body={"check": check, "order": order, "perks": perks, "hold_seconds": hold_seconds},
        )
        return self._ask(call, models.RedemptionOut, seconds=seconds)

    def get_redemption(
        self,
        redemption_id: str,
        *,
        seconds: float | None = None,
    ) -> models.RedemptionOut:
        """A redemption as it stands now: a hold that ran out is `expired`."""
        call = Call(
            "get_redemption",
            "GET",
            f"/api/v1/redemptions/{segment(redemption_id)}",
            safe=True,
            repeatable=True,
        )
        return self._ask(call, models.RedemptionOut, seconds=seconds)

    def commit_redemption(
        self,
        redemption_id: str,
        *,
        seconds: float | None = None,
    ) -> models.RedemptionOut:
        """The order was paid: its uses count, with their worth. Repeating it changes nothing.

        Whether the member may use the perks was judged at the hold (`held_at`). A membership that lapsed, was
        refunded or stopped since, or a card that was blocked, does not take back what the shopper was promised
        and has now paid for.
        """
        call = Call(
            "commit_redemption",
            "POST",
            f"/api/v1/redemptions/{segment(redemption_id)}/commit",
            safe=False,
            repeatable=True,
        )
        return self._ask(call, models.RedemptionOut, seconds=seconds)

    def release_redemption(
        self,
        redemption_id: str,
        *,
        seconds: float | None = None,
    ) -> models.RedemptionOut:
        """The order was abandoned: its uses are free again. Repeating it changes nothing, nor does it after expiry."""
        call = Call(
            "release_redemption",
            "POST",
            f"/api/v1/redemptions/{segment(redemption_id)}/release",
            safe=False,
            repeatable=True,
        )
        return self._ask(call, models.RedemptionOut, seconds=seconds)

    def return_redemption(
        self,
        redemption_id: str,
        *,
        lines: Sequence[models.LineBack] | None = None,
        idempotency_key: str | None = None,
        seconds: float | None = None,
    ) -> models.RedemptionOut:
        """Goods came back: the whole order, or some pieces of its lines. Worth comes back in proportion.

        A perk that took something off lines follows what it took off them; any other follows the value of the
        goods. The parts add up to the whole exactly. A use of a limited perk is free again once all of it came
        back.

        `idempotency_key`: Yours, new for each request, the same when you repeat it: you get the same answer for
        30 days.
        """
        call = Call(
            "return_redemption",
            "POST",
            f"/api/v1/redemptions/{segment(redemption_id)}/return",
            safe=False,
            repeatable=True,
            header={"Idempotency-Key": idempotency_key},
            body={"lines": lines},
        )
        return self._ask(call, models.RedemptionOut, seconds=seconds)
