"""What the environment may say. Read once, by settings.py; every bad variable is named in one error.

`.env.example` lists the same names for people; tests/test_settings.py holds the two against each other.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ENV_FILE = Path(__file__).resolve().parent.parent / ".env"
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

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

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
    vip_house_refunds: bool | None = None
    email_url: str | None = None
    email_from: str = "Laurel & Co <club@laurel.example>"
    web_workers: int = Field(default=1, ge=1, le=64)
    trusted_proxies: int | None = Field(default=None, ge=0, le=9)
    work_lease: int = Field(default=90, ge=4, le=3600)

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

    @model_validator(mode="wrap")
    @classmethod
    def _all_at_once(cls, given: dict[str, Any], check: ModelWrapValidatorHandler[Self]) -> Self:
        """Each variable by itself and all of them together, told in one error."""
        problems = _problems_together(given)
        try:
            read = check(given)
        except ValidationError as error:
            raise BadEnvironment([_sentence(e["loc"], e["msg"]) for e in error.errors()] + problems) from None
        if problems:
            raise BadEnvironment(problems)
        return read


class BadEnvironment(SystemExit):
    """The environment cannot be used. Its message names every bad variable at once."""

    def __init__(self, problems: list[str]) -> None:
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(
            f"The settings in the environment cannot be used:\n{lines}\n.env.example explains each variable."
        )


def read() -> Environment:
    """The environment, checked. Raises BadEnvironment with one line a problem."""
    tests = os.environ.get("VIP_MODE") == "test"  # they read no .env, so as not to depend on a machine
    return Environment(_env_file=None if tests else ENV_FILE)  # type: ignore[call-arg]


def _problems_together(given: dict[str, Any]) -> list[str]:
    """What is wrong with variables that are each well formed: missing in production, or of the wrong mode."""
    mode = given.get("vip_mode") or "demo"
    key = given.get("stripe_secret_key") or ""
    if mode != "production":
        test_key = not key or key.startswith(("sk_test_", "rk_test_"))
        return [] if test_key else [f"STRIPE_SECRET_KEY: must be a test key when VIP_MODE={mode}"]
    problems = [f"{name.upper()}: must be set in production" for name in PRODUCTION_NEEDS if not given.get(name)]
    if str(given.get("base_url") or "").startswith("http://"):
        problems.append("BASE_URL: must start with https:// in production")
    if key and not key.startswith(("sk_live_", "rk_live_")):
        problems.append("STRIPE_SECRET_KEY: must be a live key in production")
    if given.get("vip_clock"):
        problems.append("VIP_CLOCK: cannot be set in production, where time is not moved")
    return problems


def _sentence(loc: tuple[int | str, ...], message: str) -> str:
    name = ".".join(str(part).upper() for part in loc)
    return f"{name}: {message.removeprefix('Value error, ')}"
