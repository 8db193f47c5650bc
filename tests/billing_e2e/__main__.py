"""billing-e2e, unmodified, against the local Stripe and the product: `python -m tests.billing_e2e [NAME…]`.

Its own five scenarios are played with monthly and with yearly prices, then ours (scenarios/), whose checks ask the perk
API. After each of our checks the same check follows with each of its expectations turned wrong, which must fail; and a
scenario with a wrong check must make billing-e2e say no. At the end of each scenario the product takes part in, every
invariant holds (teardown.py), and again after all of them, when their customers are gone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from tests.billing_e2e.house import ROOT, House

HERE = Path(__file__).parent
OURS = HERE / "scenarios"
SLOWEST = 1800  # seconds for one round of scenarios, on a machine that does much else
# After all of them: all but the one that compares our ledger with Stripe's lists, for there each scenario's customer is
# gone with its clock. The end of each scenario has compared it.
INVARIANTS = tuple(f"I{number}" for number in range(1, 21) if number != 7)
ASK = f"{sys.executable} -m tests.billing_e2e.ask"


def main(*names: str) -> int:
    with tempfile.TemporaryDirectory(prefix="vip-scenarios-") as place, House(Path(place) / "data") as house:
        return _play_all(Path(place), house, names)


def _play_all(place: Path, house: House, names: tuple[str, ...]) -> int:
    theirs = sorted(Path(str(files("billing_e2e") / "scenarios")).glob("*.yml"))
    chosen = [path for path in sorted(OURS.glob("*.yaml")) if not names or path.stem in names]
    failed = 0
    if not names:
        for title, cheap, dear in (
            ("monthly", "monthly_price", "dearer_monthly_price"),
            ("yearly", "yearly_price", "dearer_yearly_price"),
        ):
            prices = {"monthly_price": house.names[cheap], "upgrade_price": house.names[dear]}
            failed += _play(place, house, f"its own, {title}", theirs, prices, hooks=title == "yearly")
    doubted = [_written(place / path.name, _doubted(_read(path))) for path in chosen]
    failed += _play(place, house, "ours, each check doubted", doubted, {}, hooks=True)
    wrong = _written(place / "wrong.yaml", _wrong(_read(OURS / "annual-renewal.yaml")))
    if not names and not _play(place, house, "one that must fail", [wrong], {}, hooks=True, patience="2"):
        _say("!! a scenario whose check is wrong has passed")
        failed += 1
    failed += house.manage("check_invariants", *INVARIANTS)
    _say("all is well" if not failed else f"{house.tail()}\n{failed} runs failed")
    return 1 if failed else 0


def _play(
    place: Path,
    house: House,
    title: str,
    scenarios: list[Path],
    more: dict[str, str],
    *,
    hooks: bool,
    patience: str = "",
) -> int:
    _say(f"== {title}")
    config = {
        "stripe": {"key": "sk_test_local"},
        "app": {"base_url": house.url, **(_hooks() if hooks else {})},
        "vars": {**house.names, "ask": ASK, **more},
    }
    path = _written(place / "config.yaml", config)
    command = [sys.executable, "-m", "billing_e2e", "--config", str(path), "run", *map(str, scenarios)]
    redirect = os.pathsep.join([str(HERE / "redirect"), str(ROOT)])
    environment = house.environment | {
        "PYTHONPATH": redirect,
        "STRIPE_API_BASE": f"{house.url}/stripe",
        "BILLING_E2E_PATIENCE": patience,
        "VIP_URL": house.url,
        "VIP_API_KEY": house.api_key,
    }
    return subprocess.run(command, cwd=ROOT, env=environment, timeout=SLOWEST, check=False).returncode


def _hooks() -> dict[str, str]:
    """The product's own processes are not to be pointed anywhere."""
    command = f"STRIPE_API_BASE= BILLING_E2E_PATIENCE= {sys.executable} manage.py billing_e2e"
    teardown = f"STRIPE_API_BASE= BILLING_E2E_PATIENCE= {sys.executable} -m tests.billing_e2e.teardown"
    return {"setup": f"{command} setup", "after_subscribe": f"{command} link", "teardown": teardown}


def _doubted(scenario: dict[str, Any]) -> dict[str, Any]:
    """After each check, the same one with each of its expectations turned wrong: that must be told as wrong."""
    steps = [one for step in scenario["steps"] for one in (step, *_turned_wrong(step))]
    return scenario | {"steps": steps}


def _turned_wrong(step: dict[str, Any]) -> list[dict[str, Any]]:
    asked = step.get("check", {}).get("run", "")
    named = [name for name in ("standing", "until") if f"{name}=" in asked]
    return [{"check": {"run": f"{asked} but={name}; test $? -eq 1"}} for name in named]


def _wrong(scenario: dict[str, Any]) -> dict[str, Any]:
    """The scenario up to its first check, which is wrong."""
    steps = scenario["steps"]
    last = next(at for at, step in enumerate(steps) if "check" in step)
    return scenario | {"steps": [*steps[:last], {"check": {"run": f"{steps[last]['check']['run']} but=standing"}}]}


def _read(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def _written(path: Path, data: dict[str, Any]) -> Path:
    path.write_text(json.dumps(data), encoding="utf-8")  # JSON is YAML
    return path


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
