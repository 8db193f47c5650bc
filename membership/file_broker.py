"""A broker of files in VIP_DATA, for an installation without Redis. celery.py registers it as files://.

Kombu's own writes a message in place, so that a worker may read half of one (and end), and keeps its bindings in a file
with the same flaw. Here a message appears under its name only when it is whole, is taken by one rename, and bindings
are each process's own: every sender and worker declares the queue it uses.
"""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem, virtual
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: dict[str, Any], **options: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns()}_{uuid.uuid4().hex}.{queue}.msg"
        draft = folder / f".{name}"
        draft.write_text(dumps(payload), encoding="utf-8")
        draft.rename(folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The oldest message of a queue, now ours alone. Raises Empty."""
        folder = Path(self.data_folder_in)
        for name in sorted(os.listdir(folder)):
            if name.startswith(".") or name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = folder / f".{name}"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:
                continue  # another worker was quicker
            text = taken.read_text(encoding="utf-8")
            taken.unlink()
            return loads(text)
        raise Empty

    def get_table(self, exchange: str) -> Any:
        return virtual.Channel.get_table(self, exchange)

    def _queue_bind(self, *binding: object) -> None:
        """Nothing to tell the other processes."""

    def _delete(self, queue: str, *binding: object, **options: object) -> None:
        self._purge(queue)


class Transport(filesystem.Transport):
    Channel = Channel
