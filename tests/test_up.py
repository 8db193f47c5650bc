"""Starting an installation: what stops it is said in one sentence, and what it makes it can remove again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
from django.core.management import CommandError

from membership import celery
from membership.bootstrap import data_folder, running
from tests.processes import ROOT, free_port


@pytest.fixture
def folder(settings, tmp_path):
    settings.VIP_DATA = tmp_path
    return tmp_path


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def manage(*arguments: str, **environment: object) -> subprocess.CompletedProcess[str]:
    given = os.environ | {"VIP_MODE": "demo", "VIP_CLOCK": ""} | {name: str(v) for name, v in environment.items()}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=given, capture_output=True, text=True, timeout=60
    )


@pytest.mark.processes
class TestRefusing:
    @pytest.mark.parametrize("command", ["up", "demo"])
    def test_a_taken_port_is_one_sentence_that_names_it(self, command, tmp_path, taken_port):
        ended = manage(command, PORT=taken_port, VIP_DATA=tmp_path)

        assert ended.returncode == 1
        (sentence,) = ended.stderr.splitlines()
        assert f"Port {taken_port} cannot be used" in sentence
        assert f"PORT={taken_port + 1}" in sentence

    def test_a_start_that_is_refused_leaves_no_folder_behind(self, tmp_path, taken_port):
        manage("demo", PORT=taken_port, VIP_DATA=tmp_path / "var")

        assert not (tmp_path / "var").exists()
        (tmp_path / "mine").mkdir()
        manage("demo", PORT=taken_port, VIP_DATA=tmp_path / "mine")
        assert (tmp_path / "mine").exists()

    @pytest.mark.parametrize("command", ["up", "demo"])
    def test_a_folder_in_use_is_one_sentence_that_names_it(self, command, folder):
        with data_folder.held():
            ended = manage(command, VIP_DATA=folder)

        assert ended.returncode == 1
        (sentence,) = ended.stderr.splitlines()
        assert f"{folder} is in use by a running installation (process {os.getpid()})" in sentence
        assert "VIP_DATA" in sentence


class TestDataFolder:
    def test_it_is_free_again_after_the_block(self, folder):
        with data_folder.held():
            pass

        with data_folder.held():
            assert (folder / "in_use").read_text() == str(os.getpid())

    def test_fresh_removes_what_a_demo_made_and_nothing_else(self, folder, monkeypatch):
        monkeypatch.setitem(data_folder.settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
        for name in ("vip.sqlite3", "vip.sqlite3-wal", "demo.json", "clock_offset", "secret_key", "letters.txt"):
            (folder / name).touch()
        (folder / "queue").mkdir()
        (folder / "queue" / "message").touch()

        data_folder.empty()

        assert sorted(path.name for path in folder.iterdir()) == ["letters.txt", "secret_key"]

    def test_fresh_leaves_a_database_server_alone(self, folder, monkeypatch):
        monkeypatch.setitem(data_folder.settings.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")

        with pytest.raises(CommandError, match="DATABASE_URL"):
            data_folder.empty()

    def test_static_files_are_gathered_only_when_one_changed(self, folder, monkeypatch):
        gathered = []
        monkeypatch.setattr(data_folder, "call_command", lambda *args, **options: gathered.append(args))

        data_folder.collect_static()
        data_folder.collect_static()
        assert len(gathered) == 1

        (folder / "static.stamp").write_text("another state")
        data_folder.collect_static()
        assert len(gathered) == 2


class TestPrograms:
    def test_the_web_server_stops_last_and_has_threads_to_call_itself(self):
        by_name = {program.name: program for program in running.programs(host="127.0.0.1")}

        assert by_name["web"].stop_last
        assert not by_name["worker"].stop_last
        threads = by_name["web"].command.index("--blocking-threads") + 1
        assert int(by_name["web"].command[threads]) >= 8

    def test_beat_is_kept_running_by_itself_and_remembers_nothing(self):
        """Inside the worker its death went unnoticed; a file of its own could not be opened after a kill."""
        by_name = {program.name: program for program in running.programs(host="127.0.0.1")}

        assert "beat" in by_name["beat"].command
        assert "--beat" not in by_name["worker"].command
        assert celery.app.conf.beat_scheduler == "celery.beat:Scheduler"

    @pytest.mark.parametrize("only", ["web", "worker", "beat"])
    def test_one_part_can_run_alone(self, only):
        assert [program.name for program in running.programs(host="127.0.0.1", only=only)] == [only]

    def test_only_a_taken_port_is_refused(self, settings, taken_port):
        settings.PORT = taken_port
        with pytest.raises(CommandError, match="PORT"):
            running.refuse_a_taken_port("127.0.0.1")

        settings.PORT = free_port()
        running.refuse_a_taken_port("127.0.0.1")


class TestSchedule:
    def test_every_entry_names_a_task_that_exists(self):
        for name, entry in celery.schedule().items():
            assert entry["task"] in celery.app.tasks, name

    def test_a_ring_that_was_missed_is_dropped_when_the_next_one_comes(self):
        for entry in celery.schedule().values():
            assert entry["options"]["expires"] == entry["schedule"]
