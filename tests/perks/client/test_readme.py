"""The example of the client's README is run, as it stands."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from perks import client as shops
from perks.models import Redemption

README = (Path(shops.__file__).parent / "README.md").read_text(encoding="utf-8")


def example() -> str:
    (found,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    return found


def test_its_example_orders_a_coat_with_free_delivery(joined, live_server, till, clock, monkeypatch):
    ada = joined("gold-year")
    monkeypatch.setitem(sys.modules, "vip_membership_client", shops)
    code = (
        example()
        .replace("https://club.example", live_server.url)
        .replace('language="en"', "seconds=20, changing_seconds=20, transport=way")
    )
    way = shops.HttpTransport(live_server.url, keep=0)
    names = {"api_key": till._api_key, "number": ada.member.number, "way": way}
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102
    assert names["decided"].source == "answer"
    assert Redemption.objects.get().status == "committed"


def test_its_example_is_short():
    assert len([line for line in example().splitlines() if line.strip()]) <= 10


def test_it_names_every_call_and_every_exception():
    calls = {name for name in vars(shops.client.Operations) if not name.startswith("_")}
    errors = {name for name, one in vars(shops).items() if isinstance(one, type) and issubclass(one, Exception)}
    for name in calls | errors - {"Failed"}:
        assert f"`{name}`" in README, name
