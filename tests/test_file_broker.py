"""The broker of files: whole messages, each to one worker, however many send and take at once."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from kombu import Connection

from membership import celery

SENDERS, EACH = 4, 50


@pytest.fixture
def connect(tmp_path):
    """connect(): a queue on a connection of its own, as each process has."""
    assert celery.TRANSPORT_ALIASES["files"]
    options = {"data_folder_in": str(tmp_path), "data_folder_out": str(tmp_path)}
    opened: list[Connection] = []

    def connect():
        opened.append(Connection("files://localhost/", transport_options=options))
        return opened[-1].SimpleQueue("bell")

    yield connect
    for connection in opened:
        connection.release()


def take_all(queue) -> list[str]:
    taken = []
    while True:
        try:
            message = queue.get(block=False)
        except queue.Empty:
            return taken
        taken.append(message.payload)
        message.ack()


def test_the_oldest_message_comes_first(connect):
    sender = connect()
    for word in ("one", "two", "three"):
        sender.put(word)

    assert take_all(connect()) == ["one", "two", "three"]


def test_each_message_reaches_one_worker_whole(connect):
    senders, workers = [connect() for _ in range(SENDERS)], [connect() for _ in range(3)]
    done = threading.Event()
    taken: list[str] = []

    def send(number: int) -> None:
        for round_ in range(EACH):
            senders[number].put(f"{number}-{round_}-" + "x" * 5000)

    def work(queue) -> None:
        while not done.is_set():
            taken.extend(take_all(queue))
        taken.extend(take_all(queue))

    sending = [threading.Thread(target=send, args=(n,)) for n in range(SENDERS)]
    working = [threading.Thread(target=work, args=(queue,)) for queue in workers]
    for thread in [*sending, *working]:
        thread.start()
    for thread in sending:
        thread.join()
    done.set()
    for thread in working:
        thread.join()

    assert len(taken) == SENDERS * EACH
    assert Counter(taken).most_common(1)[0][1] == 1


def test_a_half_written_message_is_not_seen(connect, tmp_path):
    (tmp_path / ".1_draft.bell.msg").write_text('{"body": ')

    assert take_all(connect()) == []
