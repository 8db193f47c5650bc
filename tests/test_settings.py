"""The environment an installation is given: every bad variable is named at once, and all of them are documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from membership import environment
from membership import settings as settings_file
from membership.environment import Environment

ROOT = Path(__file__).parent.parent


@pytest.fixture
def variables(monkeypatch):
    """A bare environment; variables(NAME="value") sets some."""
    for name in Environment.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("VIP_MODE", "test")

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


PRODUCTION = {
    "VIP_MODE": "production",
    "SECRET_KEY": "k" * 50,
    "BASE_URL": "https://club.example",
    "DATABASE_URL": "postgresql://vip@localhost/vip",
    "REDIS_URL": "redis://localhost:6379/0",
    "STRIPE_SECRET_KEY": "sk_live_made_up",
    "STRIPE_WEBHOOK_SECRET": "whsec_new,whsec_old",
    "VIP_CARD_KEY": "ab" * 32,
    "EMAIL_URL": "smtp://user:pass@mail.example:587",
}


def refusal() -> str:
    with pytest.raises(environment.BadEnvironment) as refused:
        environment.read()
    return str(refused.value)


class TestReading:
    def test_a_bare_environment_is_a_demo_on_port_8000(self, variables, monkeypatch):
        monkeypatch.setattr(environment, "ENV_FILE", None)
        monkeypatch.delenv("VIP_MODE")

        read = environment.read()

        assert (read.vip_mode, read.port, str(read.vip_data)) == ("demo", 8000, "var")

    def test_every_bad_variable_is_named_at_once(self, variables):
        variables(PORT="eighty", BASE_URL="club.example", VIP_CARD_KEY="short", STRIPE_WEBHOOK_SECRET="nope")

        said = refusal()

        for name in ("PORT", "BASE_URL", "VIP_CARD_KEY", "STRIPE_WEBHOOK_SECRET"):
            assert f"  {name}: " in said
        assert ".env.example explains each" in said

    def test_a_bad_value_and_a_missing_one_are_named_together(self, variables):
        variables(**(PRODUCTION | {"PORT": "eighty", "REDIS_URL": "", "VIP_CLOCK": "some.clock"}))

        said = refusal()

        for name in ("PORT", "REDIS_URL", "VIP_CLOCK"):
            assert name in said

    def test_the_refusal_repeats_no_secret(self, variables):
        variables(**(PRODUCTION | {"STRIPE_SECRET_KEY": "sk_test_do_not_show", "SECRET_KEY": "too short to use"}))

        said = refusal()

        assert "STRIPE_SECRET_KEY" in said
        assert "SECRET_KEY: " in said
        assert "do_not_show" not in said
        assert "too short to use" not in said


class TestProduction:
    def test_a_full_environment_is_accepted(self, variables):
        variables(**PRODUCTION)

        assert environment.read().vip_mode == "production"

    @pytest.mark.parametrize("name", [name.upper() for name in environment.PRODUCTION_NEEDS])
    def test_what_it_needs_is_asked_for_by_name(self, variables, name):
        variables(**(PRODUCTION | {name: ""}))

        assert f"{name}: must be set in production" in refusal()

    def test_time_cannot_be_moved(self, variables):
        variables(**(PRODUCTION | {"VIP_CLOCK": "membership.clock.demo"}))

        assert "VIP_CLOCK" in refusal()

    def test_a_test_key_is_refused(self, variables):
        variables(**(PRODUCTION | {"STRIPE_SECRET_KEY": "sk_test_made_up"}))

        assert "STRIPE_SECRET_KEY: must be a live key" in refusal()


class TestOutsideProduction:
    @pytest.mark.parametrize("mode", ["demo", "test"])
    def test_a_live_key_is_refused(self, variables, monkeypatch, mode):
        monkeypatch.setattr(environment, "ENV_FILE", None)
        variables(VIP_MODE=mode, STRIPE_SECRET_KEY="sk_live_made_up")

        assert "STRIPE_SECRET_KEY: must be a test key" in refusal()


class TestOwnSecret:
    def test_is_read_whole_by_who_comes_second(self, monkeypatch, tmp_path):
        monkeypatch.setattr(settings_file, "VIP_MODE", "demo")
        monkeypatch.setattr(settings_file, "VIP_DATA", tmp_path)
        first = settings_file._own_secret()
        with monkeypatch.context() as patch:
            patch.setattr(Path, "exists", lambda _: False)  # both looked before either had written
            second = settings_file._own_secret()
        assert len(first) >= 48
        assert first == second == settings_file._own_secret()
        (kept,) = tmp_path.iterdir()
        assert (kept.name, kept.stat().st_mode & 0o777) == ("secret_key", 0o600)


def test_the_example_names_every_variable_and_no_other():
    example = (ROOT / ".env.example").read_text(encoding="utf-8")

    named = re.findall(r"^#?\s?([A-Z][A-Z_]+)=", example, flags=re.MULTILINE)

    assert sorted(named) == sorted(name.upper() for name in Environment.model_fields)
