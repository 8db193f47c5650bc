"""What the client is made of: files that follow from the API's schema, and a package that stands alone."""

from __future__ import annotations

import dataclasses
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from membership.api import api
from perks import client, client_source
from perks.client import models
from perks.client.operations import Operations

FOLDER = Path(client.__file__).parent


@pytest.fixture(scope="module")
def schema():
    return api.get_openapi_schema()


@pytest.mark.parametrize("name", ["models.py", "operations.py"])
def test_what_is_generated_is_what_the_schema_says_now(schema, name):
    """Red after a change of the API: run `./run manage write_client`, and look at what it changes for shops."""
    assert (FOLDER / name).read_text(encoding="utf-8") == client_source.files(schema)[name]


def test_a_change_of_the_schema_changes_the_files(schema):
    """The twin of the test above: it would be seen."""
    parts = schema["components"]["schemas"]
    held = {**parts["HeldPerk"], "properties": {**parts["HeldPerk"]["properties"], "new": {"type": "string"}}}
    changed = {**schema, "components": {"schemas": {**parts, "HeldPerk": held}}}
    assert client_source.files(changed)["models.py"] != client_source.files(schema)["models.py"]


def test_every_operation_is_a_method_and_every_field_of_an_answer_is_typed(schema):
    operations = {op["operationId"] for ops in schema["paths"].values() for op in ops.values()}
    methods = {name for name, _ in inspect.getmembers(Operations, inspect.isfunction) if not name.startswith("_")}
    assert methods == operations
    for name, model in inspect.getmembers(models, dataclasses.is_dataclass):
        fields = [field.name for field in dataclasses.fields(model)]
        assert fields == list(schema["components"]["schemas"][name]["properties"])


def test_the_package_stands_alone_under_its_own_name(tmp_path):
    """Installed it is called vip_membership_client; here it is imported without any other package there is."""
    shutil.copytree(FOLDER, tmp_path / "vip_membership_client", ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import vip_membership_client as client\n"
        "client.Client('https://club.example', 'vip_live_x')\n"
        "print(sorted(name for name in sys.modules if name.partition('.')[0] in {'perks', 'django', 'pydantic'}))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "[]"
    assert (FOLDER / "py.typed").exists()
