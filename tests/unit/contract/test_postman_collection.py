"""The Postman collection has the whole story, in scripts that Postman and the tests both run."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chalicelib.codec.exact_json import loads
from chalicelib.http.contract import DIRECTORY
from infra.contract.documents import POSTMAN_FILE
from infra.contract.errors import UndescribedError
from infra.contract.page_documents import Document
from infra.contract.postman import collection
from infra.contract.postman_story import STORY, Step
from tests.support.postman import VOCABULARY, scripts

COLLECTION: dict[str, Any] = json.loads((DIRECTORY / POSTMAN_FILE).read_text())


def test_every_step_of_the_story_is_in_the_collection() -> None:
    assert [item["name"] for item in COLLECTION["item"]] == [step.name for step in STORY]


def test_a_step_whose_call_the_contract_does_not_have_is_refused() -> None:
    document = Document(loads((DIRECTORY / "openapi.json").read_text()))
    step = Step("Call what is gone", "GET /api/gone")
    with pytest.raises(UndescribedError, match="GET /api/gone"):
        collection(document, [*STORY, step])


@pytest.mark.parametrize("item", COLLECTION["item"], ids=lambda item: item["name"])
def test_the_tests_know_every_statement(item: dict[str, Any]) -> None:
    for statement in scripts(item):
        assert any(form.fullmatch(statement) for form in VOCABULARY), statement


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_every_script_is_javascript(tmp_path: Path) -> None:
    file = tmp_path / "scripts.js"
    file.write_text("\n".join(f"{{\n{chr(10).join(scripts(item))}\n}}" for item in COLLECTION["item"]))
    checked = subprocess.run(["node", "--check", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
