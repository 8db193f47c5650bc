"""Refusals in Stripe's shape: four wire types, a code, the parameter, a message."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

INVALID = "invalid_request_error"


class StripeError(Exception):
    """A refusal. `keeps` says that what was written before it stays, as after a declined charge."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = INVALID,
        code: str | None = None,
        param: str | None = None,
        keeps: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.keeps = status, keeps
        self.body: dict[str, Any] = {"message": message, "type": kind}
        self.body |= {k: v for k, v in {"code": code, "param": param, **more}.items() if v is not None}

    @property
    def code(self) -> str:
        return str(self.body.get("code", ""))


class NotStarted(StripeError):
    """Refused before the endpoint began: its idempotency key stays free."""


def missing(kind: str, stripe_id: str, param: str | None) -> StripeError:
    """No such object: 404 when the path names it, 400 when a parameter does."""
    noun = {"checkout.session": "checkout.session", "payment_method": "PaymentMethod"}.get(kind, kind)
    return StripeError(
        f"No such {noun}: '{stripe_id}'",
        status=404 if param is None else 400,
        code="resource_missing",
        param=param or "id",
    )


def required(param: str) -> StripeError:
    return StripeError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def check_url(url: str, param: str) -> None:
    """Raises Stripe's `url_invalid` unless this is a web address."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise StripeError(
            "Not a valid URL. URLs must begin with an explicit scheme such as https.", code="url_invalid", param=param
        )


def unsupported(what: str) -> StripeError:
    """What the real Stripe can do and this one cannot yet: said loudly, never ignored."""
    return StripeError(f"The local Stripe does not support {what}.", code="local_stripe_unsupported")
