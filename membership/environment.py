"""What the environment may say. Read once, by settings.py; every bad variable is named in one error.

`.env.example` lists the same names for people; tests/test_settings.py holds the two against each other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PRODUCTION_NEEDS = (
    "secret_key",
    "base_url",
    "database_url",
    "redis_url",
    "stripe_secret_key",
    "stripe_webhook_secret",
    "vip_card_key",
    "email_url",
)


class Environment(BaseSettings):
    """The installation's settings, as they stand in the environment (or in a .env file beside manage.py)."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    vip_mode: Literal["demo", "test", "production"] = "demo"
    vip_data: Path = Path("var")
    port: int = Field(default=8000, ge=1, le=65535)
    base_url: str | None = None
    secret_key: str | None = Field(default=None, min_length=50)
    database_url: str | None = None
    redis_url: str | None = None
    stripe_secret_key: str | None = None
    stripe_webhook_secret: str | None = None
    vip_card_key: str | None = None
    vip_clock: str | None = None
    vip_programme_name: str = "Laurel & Co"
    email_url: str | None = None
    email_from: str = "Laurel & Co <club@laurel.example>"
    web_workers: int = Field(default=1, ge=1, le=64)

    @field_validator("base_url")
    @classmethod
    def _base_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/") if value else value

    @field_validator("vip_card_key")
    @classmethod
    def _card_key(cls, value: str | None) -> str | None:
        if value is not None and (len(value) != 64 or not set(value.lower()) <= set("0123456789abcdef")):
            raise ValueError("must be 64 hex digits, the 32 bytes of an Ed25519 private key")
        return value

    @field_validator("stripe_webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: str | None) -> str | None:
        if value is not None and not all(s.strip().startswith("whsec_") for s in value.split(",")):
            raise ValueError("must be one whsec_… secret, or several with commas while one is being rotated")
        return value

    @model_validator(mode="after")
    def _mode(self) -> Self:
        problems = self._production_problems() if self.vip_mode == "production" else self._test_problems()
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _production_problems(self) -> list[str]:
        problems = [f"{name.upper()} is not set" for name in PRODUCTION_NEEDS if not getattr(self, name)]
        if self.base_url and not self.base_url.startswith("https://"):
            problems.append("BASE_URL must start with https:// in production")
        if self.stripe_secret_key and not self.stripe_secret_key.startswith(("sk_live_", "rk_live_")):
            problems.append("STRIPE_SECRET_KEY must be a live key in production")
        if self.vip_clock:
            problems.append("VIP_CLOCK cannot be set in production: time is not moved there")
        return problems

    def _test_problems(self) -> list[str]:
        if self.stripe_secret_key and not self.stripe_secret_key.startswith(("sk_test_", "rk_test_")):
            return [f"STRIPE_SECRET_KEY must be a test key when VIP_MODE={self.vip_mode}"]
        return []


class BadEnvironment(SystemExit):
    """The environment cannot be used. Its message names every bad variable at once."""


def read() -> Environment:
    """The environment, checked. Raises BadEnvironment with one line a problem."""
    try:
        return Environment()
    except ValidationError as error:
        lines = [_sentence(e["loc"], e["msg"]) for e in error.errors()]
        raise BadEnvironment(
            "The settings in the environment cannot be used:\n" + "\n".join(lines) + "\n.env.example explains each."
        ) from None


def _sentence(loc: tuple[int | str, ...], message: str) -> str:
    name = ".".join(str(part).upper() for part in loc)
    text = message.removeprefix("Value error, ")
    return f"  {name}: {text}" if name else "\n".join(f"  {part}" for part in text.split("; "))
