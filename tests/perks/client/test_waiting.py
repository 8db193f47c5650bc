"""The client and a server that is slow, broken, busy or gone: over real sockets, within the seconds given."""

from __future__ import annotations

import threading

import pytest

from perks import client as shops
from tests.perks.client.conftest import PATIENT, answer, seconds_of

PROBLEM = '{"type": "x", "title": "x", "status": %d, "code": "%s", "detail": "said so"}'


class TestTheBudget:
    def test_is_a_second_where_nobody_answers(self, server):
        server.says(30.0)
        client = shops.Client(server.url, "vip_test_x", transport=shops.HttpTransport(server.url, keep=0))

        def ask():
            with pytest.raises(shops.NoAnswer, match="timed out") as caught:
                client.list_perks()
            assert caught.value.status is None

        assert 0.9 < seconds_of(ask) < 15

    @pytest.mark.parametrize("trickle", [[b"HTTP/1.1 200 OK\r\n"] * 400, [answer()[:-2], *[b" "] * 400]])
    def test_holds_where_an_answer_trickles_in(self, server, asks, trickle):
        server.says(trickle, *[30.0] * 4)

        def ask():
            with pytest.raises(shops.NoAnswer):
                asks.list_perks(seconds=0.3)

        assert seconds_of(ask) < 10

    def test_is_not_used_up_where_nobody_listens(self, nobody, told):
        client = shops.Client(nobody, "vip_test_x", on_exchange=told.append, **PATIENT)

        def ask():
            with pytest.raises(shops.NoAnswer, match="refused") as caught:
                client.list_perks()
            assert caught.value.tries == len(told) == 5

        assert seconds_of(ask) < 15

    def test_is_longer_for_what_changes_something(self, server):
        server.says([b""] * 25 + [answer(409, PROBLEM % (409, "check_used"))])
        client = shops.Client(server.url, "vip_test_x", transport=shops.HttpTransport(server.url, keep=0))
        with pytest.raises(shops.Conflict):
            client.hold_perks(check="chk_x", order="1", perks=["a"])


class TestItIsAskedAgain:
    @pytest.mark.parametrize("first", [answer(502, "<p>"), answer(503), answer(504), None, b"rubbish\r\n\r\n"])
    def test_where_the_first_try_met_no_api(self, server, asks, told, first):
        server.says(first, answer())
        assert asks.list_perks() == []
        assert [exchange.attempt for exchange in told] == [1, 2]

    def test_when_it_was_told_to(self, server, asks):
        server.says(answer(429, PROBLEM % (429, "slow_down"), Retry_After="1"), answer())
        assert asks.list_perks() == []

    def test_not_when_told_to_wait_longer_than_there_is_time(self, server, asks):
        server.says(answer(429, PROBLEM % (429, "slow_down"), Retry_After="30"))
        with pytest.raises(shops.TooMany) as caught:
            asks.list_perks()
        assert (caught.value.code, caught.value.retry_after) == ("slow_down", 30)
        assert len(server.requests) == 1

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
    def test_not_after_an_answer(self, server, asks, status):
        server.says(answer(status, PROBLEM % (status, "no")))
        with pytest.raises(shops.PerkApiError):
            asks.list_perks()
        assert len(server.requests) == 1

    def test_under_the_same_key_and_body(self, server, asks):
        server.says(None, answer(503), answer(409, PROBLEM % (409, "used_up")))
        with pytest.raises(shops.Conflict):
            asks.hold_perks(check="chk_x", order="1", perks=["a"])
        assert len(server.requests) == 3
        assert len({headers["idempotency-key"] for _, headers, _ in server.requests}) == 1
        assert len({body for _, _, body in server.requests}) == 1
        assert len({headers["x-request-id"] for _, headers, _ in server.requests}) == 1

    def test_never_where_it_might_be_done_twice(self, server, asks):
        server.says(None)
        with pytest.raises(shops.NoAnswer) as caught:
            asks.ask_for_confirmation(email="ada@example.org")
        assert (caught.value.tries, len(server.requests)) == (1, 1)

    def test_whatever_it_is_where_nothing_was_sent(self, nobody, told):
        client = shops.Client(nobody, "vip_test_x", on_exchange=told.append, **PATIENT)
        with pytest.raises(shops.NoAnswer):
            client.ask_for_confirmation(email="ada@example.org")
        assert len(told) == 5


class TestAnAnswer:
    @pytest.mark.parametrize("body", ["<html>log in</html>", '{"a": 1}', '[{"perk": "x"}]', "null", '[{"perk": 1}]'])
    def test_that_is_not_what_the_schema_says_is_none(self, server, asks, body):
        server.says(answer(200, body))
        with pytest.raises(shops.NoAnswer):
            asks.list_perks()

    def test_without_a_problem_document_is_none(self, server, asks):
        server.says(answer(404, "<p>wrong host</p>"), answer(302, "", Location="http://elsewhere.example/"))
        for _ in range(2):
            with pytest.raises(shops.NoAnswer):
                asks.list_perks()

    def test_may_have_fields_that_are_new(self, server, asks):
        perk = '{"perk": "a", "kind": "b", "name": "c", "tiers": {}, "fail_modes": {}, "new": 1}'
        server.says(answer(200, f"[{perk}]"))
        assert asks.list_perks()[0].perk == "a"


class TestConnections:
    def test_are_kept(self, server, asks):
        server.says(*[answer()] * 3)
        for _ in range(3):
            asks.list_perks()
        assert server.connections == 1

    def test_that_the_other_side_closed_are_not_used(self, server, asks, told):
        server.says(answer(Connection="close"), answer())
        asks.list_perks()
        asks.list_perks()
        assert (server.connections, len(told)) == (2, 2)

    def test_serve_threads_at_once(self, server, asks):
        server.says(*[answer()] * 20)
        threads = [threading.Thread(target=asks.list_perks) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert len(server.requests) == 20

    def test_are_not_kept_where_none_should_be(self, server):
        server.says(answer(), answer())
        client = shops.Client(server.url, "vip_test_x", transport=shops.HttpTransport(server.url, keep=0), **PATIENT)
        client.list_perks()
        client.list_perks()
        assert server.connections == 2

    def test_are_not_shared_with_a_process_that_was_forked(self, server, asks, monkeypatch):
        server.says(answer(), answer())
        asks.list_perks()
        monkeypatch.setattr("perks.client.transport.os.getpid", lambda: -1)
        asks.list_perks()
        assert server.connections == 2

    def test_go_over_tls_and_are_kept_there_too(self, secure, told):
        server, context = secure
        server.says(answer(), answer())
        url = server.url.replace("http://127.0.0.1", "https://localhost")
        transport = shops.HttpTransport(url, context=context)
        client = shops.Client(url, "vip_test_x", transport=transport, on_exchange=told.append, **PATIENT)
        assert client.list_perks() == client.list_perks() == []
        transport.close()
        assert (server.connections, len(told)) == (1, 2)

    def test_go_to_nobody_whose_certificate_is_not_trusted(self, secure):
        server, _context = secure
        client = shops.Client(server.url.replace("http://", "https://"), "vip_test_x", **PATIENT)
        with pytest.raises(shops.NoAnswer, match="CERTIFICATE_VERIFY_FAILED"):
            client.list_perks()
        assert server.requests == []

    def test_go_to_nothing_but_http(self):
        with pytest.raises(ValueError, match="no address"):
            shops.Client("ftp://club.example", "vip_test_x")
