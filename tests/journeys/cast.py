"""Who walks through every page: the four roles, and people half-way through something that has a page of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cached_property
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.console.bounced import report
from tests.journeys.approving import ask_above_the_limit
from tests.journeys.asking import asked
from tests.journeys.at_stripe import of_stripe
from tests.journeys.declaring import declared
from tests.journeys.person import CARDS, Person
from tests.journeys.rig import ROOT
from tests.journeys.second_steps import add_authenticator_app, make_passkey, plug_in_an_authenticator, prove_it_is_you
from tests.journeys.walk import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.journeys.rig import Demo

ROLES = ("visitor", "none", "pending", "gold")
PLAN = "gold-year"


class Cast:
    """Each person is brought to where they stand when first asked for, by the product's own forms."""

    def __init__(self, browser: Browser, demo: Demo) -> None:
        self.browser = browser
        self.demo = demo
        self.people: list[Person] = []

    def _arrives(self, email: str | None = None) -> Person:
        person = Person(browser=self.browser, demo=self.demo)
        person.email = email or person.email
        self.people.append(person)
        return person

    def leave(self) -> None:
        for person in self.people:
            person.close()

    def named(self, name: str) -> Person:
        found: Person = getattr(self, name)
        return found

    # --- the roles

    @cached_property
    def visitor(self) -> Person:
        return self._arrives()

    @cached_property
    def none(self) -> Person:
        """A member without a membership."""
        person = self._arrives()
        person.log_in_as("none")
        return person

    @cached_property
    def pending(self) -> Person:
        """Started to pay for gold; the bank asks whether it is really them, and they have not answered."""
        person = self._signed_up()
        person.page.goto(f"/checkout/{PLAN}/")
        person.page.locator("main form [name=agree]").check()
        person.press(person.page.locator("main form", has=person.page.locator("[name=agree]")))
        form = person.page.locator("form", has=person.page.locator("[name=number]"))
        typed = {"number": CARDS["asks for 3-D Secure"], "expiry": "12 / 49", "cvc": "123", "name": person.name}
        self.session = person.page.url.rstrip("/").rsplit("/", 1)[-1].split("?")[0]
        for name, value in typed.items():
            form.locator(f"[name={name}]").fill(value)
        form.locator("button[name=pay]").click()
        person.page.wait_for_url(re.compile(r"/stripe/3ds/"))
        self.intent = person.page.url.rstrip("/").rsplit("/", 1)[-1]
        return person

    @cached_property
    def gold(self) -> Person:
        person = self._arrives()
        person.log_in_as("gold")
        return person

    @cached_property
    def silver(self) -> Person:
        """Has been told what gold would cost from now on."""
        person = self._arrives()
        person.log_in_as("silver")
        person.page.goto("/portal/change-plan/")
        person.press(person.page.locator("main form[action$='/gold-year/quote/']"))
        person.page.wait_for_url("**/portal/change-plan/quotes/*/")
        return person

    # --- half-way through something

    def _signed_up(self) -> Person:
        person = self._arrives()
        person.sign_up()
        return person

    @cached_property
    def newcomer(self) -> Person:
        """Has signed up, and not yet typed the mailed code."""
        person = self._arrives()
        person.page.goto("/account/signup/")
        person.fill_in_sign_up()
        return person

    @cached_property
    def coder(self) -> Person:
        """Logs in by a mailed code, and has not typed it yet."""
        return self._sent_a_code("/account/login/code/", self.pending.email)

    @cached_property
    def forgetful(self) -> Person:
        """Forgot the password, and has not typed the mailed code yet."""
        return self._sent_a_code("/account/password/reset/", self.pending.email)

    @cached_property
    def resetting(self) -> Person:
        """Forgot the password, has typed the mailed code, and may choose a new one."""
        person = self._sent_a_code("/account/password/reset/", self._with_second_factors.email)
        person.give_code()
        return person

    def _sent_a_code(self, path: str, email: str) -> Person:
        person = self._arrives(email)
        person.page.goto(path)
        form = person.page.locator("main form", has=person.page.locator("[name=email]"))
        form.locator("[name=email]").fill(email)
        person.press(form)
        expect(person.page.locator("main form [name=code]")).to_be_visible()
        return person

    @cached_property
    def proven(self) -> Person:
        """Has just given the password once more, so may change how they log in."""
        person = self._arrives(self.pending.email)
        person.log_in()
        person.page.goto("/account/2fa/totp/activate/")
        prove_it_is_you(person)
        return person

    @property
    def careful(self) -> Person:
        """Has an authenticator app with recovery codes, and a passkey; proves it anew when called, for that lasts five
        minutes and the others' turns may take longer."""
        person = self._with_second_factors
        person.page.goto("/account/2fa/webauthn/add/")
        prove_it_is_you(person)
        return person

    @cached_property
    def _with_second_factors(self) -> Person:
        person = self._signed_up()
        add_authenticator_app(person)
        plug_in_an_authenticator(person)
        make_passkey(person, "Kitchen laptop")
        return person

    @cached_property
    def second_step(self) -> Person:
        """Typed the password, and has not typed the app's code."""
        person = self._arrives(self._with_second_factors.email)
        person.log_in()
        return person

    @cached_property
    def wavering(self) -> Person:
        """Joined just now, and is one press away from taking it back."""
        return self._changes_mind()

    @cached_property
    def refunded(self) -> Person:
        """Joined, changed their mind, and got the money back."""
        person = self._changes_mind()
        person.press(person.page.locator("main form", has=person.page.locator("[name=quote]")))
        person.page.wait_for_url(re.compile(r"/portal/refund/\d+/"))
        self.refund = person.page.url.rstrip("/").rsplit("/", 1)[-1]
        return person

    def _changes_mind(self) -> Person:
        person = self._signed_up()
        person.page.goto(f"/checkout/{PLAN}/")
        person.page.locator("main form [name=agree]").check()
        person.press(person.page.locator("main form", has=person.page.locator("[name=agree]")))
        form = person.page.locator("form#pay")
        typed = {"number": CARDS["good"], "expiry": "12 / 49", "cvc": "123", "name": person.name}
        for name, value in typed.items():
            form.locator(f"[name={name}]").fill(value)
        form.locator("button[name=pay]").click()
        person.page.wait_for_url("**/portal/")
        person.page.goto("/portal/refund/confirm/")
        prove_it_is_you(person)
        return person

    @cached_property
    def shopper(self) -> Person:
        """Shops as gold: has ordered, and has a coat and a cardigan of the sale in the basket."""
        person = self._arrives()
        page = person.page
        page.goto("/demo/shop/")
        page.locator(".shop-who [name=persona]").select_option(self.demo.persona("gold")["number"])
        person.press(page.locator(".shop-who"))
        for skus in (("SCARF-2",), ("COAT-9", "KNIT-7")):
            for sku in skus:
                person.press(page.locator(f"[data-sku={sku}] form"))
            if skus == ("SCARF-2",):
                page.goto("/demo/shop/basket/")
                page.locator("[name=pay]").click()
                page.wait_for_url("**/demo/shop/orders/*/")
                self.shop_order = page.url.rstrip("/").rsplit("/", 1)[-1]
                page.goto("/demo/shop/")
        return person

    # --- the staff

    @cached_property
    def clerk(self) -> Person:
        return self._of_staff("support")

    @cached_property
    def onlooker(self) -> Person:
        """May look, and do nothing."""
        return self._of_staff("viewer")

    @cached_property
    def manager(self) -> Person:
        """Has drafted more for gold, and not published it."""
        person = self._of_staff("manager")
        person.page.goto("/console/catalogue/perks/standing-discount/tiers/gold/")
        person.page.locator("[name=percent]").fill("7")
        person.press(person.page.locator("main form", has=person.page.locator("[name=percent]")))
        person.page.wait_for_url("**/perks/standing-discount/")
        return person

    @cached_property
    def refunder(self) -> Person:
        """A clerk who has just given the password once more, as giving money back asks."""
        return self._proven("support", f"members/{self.demo.persona('gold')['number']}/refund/")

    @cached_property
    def approver(self) -> Person:
        """A manager who has just given the password once more, as approving a refund asks."""
        return self._proven("manager", f"refunds/{self.facts['asked_refund']}/approve/")

    def _proven(self, role: str, page: str) -> Person:
        person = self._of_staff(role)
        person.page.goto(f"/console/{page}")
        prove_it_is_you(person)
        return person

    @cached_property
    def exporter(self) -> Person:
        """A manager who has just given the password once more, as taking figures out asks."""
        person = self._of_staff("manager")
        person.page.goto("/console/health/money/export/")
        prove_it_is_you(person)
        return person

    def _of_staff(self, role: str) -> Person:
        person = self._arrives()
        person.log_in_to_console(role)
        return person

    # --- what addresses need

    @cached_property
    def facts(self) -> dict[str, str]:
        _ = self.pending, self.refunded, self.shopper  # make session and intent, a refund, and an order
        gold = self.demo.persona("gold")
        return {
            "number": gold["number"],
            "silver_number": self.demo.persona("silver")["number"],
            "card_token": gold["card_token"],
            "session": self.session,
            "intent": self.intent,
            "refund": self.refund,
            "shop_order": self.shop_order,
            "invoice": self._in_link("/portal/invoices/", r"/portal/invoices/(\d+)/"),
            "mail": self._in_link("/dev/mail/", r"/dev/mail/(\d+)/", text=gold["email"]),
            "own_mail": self._in_link("/portal/mails/", r"/portal/mails/(\d+)/"),
            "letter": self._letter(gold["number"]),
            "bounced_mail": self._bounced(gold["email"]),
            "check": Shop(self.demo.base_url, self.demo.api_key).check(gold["number"])["id"],
            **declared(self._arrives()),
            **asked(self.gold, self.onlooker),
            "asked_refund": ask_above_the_limit(self._proven("support", f"members/{gold['number']}/refund/")),
            "passkey": self._passkey(),
            "quote": self.silver.page.url.rstrip("/").rsplit("/", 1)[-1],
            **of_stripe(self.demo.base_url),
        }

    def _letter(self, number: str) -> str:
        """What stands in the link of a letter about a sale; so young a demo has not sent one yet."""
        code = (
            "from membership import declining; from membership.models import Member; "
            f"member = Member.objects.get(number={number!r}); "
            "print(declining.link(declining.Asked(member, declining.choice_of('first_access'))))"
        )
        command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
        run = subprocess.run(command, cwd=ROOT, env=self.demo.variables(), check=True, capture_output=True, text=True)
        return run.stdout.strip().rstrip("/").rsplit("/", 1)[-1]

    def _bounced(self, address: str) -> str:
        """The newest mail to gold, which her mail server says it could not deliver."""
        pk = self._in_link("/portal/mails/", r"/portal/mails/(\d+)/")
        told = report(to=address, message_id=f"<message-{pk}@localhost>")
        command = [sys.executable, "manage.py", "receive_mail"]
        subprocess.run(command, cwd=ROOT, env=self.demo.variables(), check=True, input=told, text=True)
        return pk

    def _in_link(self, path: str, pattern: str, text: str = "") -> str:
        page = self.gold.page
        page.goto(path)
        link = page.locator("main a", has_text=text).and_(page.locator(f"main a[href^='{path}']")).first
        found = re.search(pattern, link.get_attribute("href") or "")
        assert found, f"{path} has a link like {pattern}"
        return found[1]

    def _passkey(self) -> str:
        page = self.careful.page
        page.goto("/account/2fa/webauthn/")
        found = re.search(r"/keys/(\d+)/edit/", page.content())
        assert found, "the list of passkeys has a link to rename one"
        return found[1]
