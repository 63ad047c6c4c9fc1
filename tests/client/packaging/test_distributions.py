"""What the wheel and the source distribution contain, and that both carry the engine for the test kit."""

import re
import sys
import tarfile
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

from infra.project import ROOT
from tests.client.packaging.conftest import Distributions, run

MAX_WHEEL_BYTES = 1_500_000
_SECRETS = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}")


def _files(distributions: Distributions) -> dict[str, bytes]:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        return {name: wheel.read(name) for name in wheel.namelist()}


def _sources(distributions: Distributions) -> set[str]:
    with tarfile.open(distributions.sdist) as sdist:
        return {str(PurePosixPath(*PurePosixPath(member.name).parts[1:])) for member in sdist if member.isfile()}


def test_the_source_distribution_builds_the_wheel_of_the_checkout(distributions: Distributions) -> None:
    assert distributions.wheel.read_bytes() == distributions.direct.read_bytes()


def test_the_wheel_has_one_top_level_package(distributions: Distributions) -> None:
    tops = {name.partition("/")[0] for name in _files(distributions)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"orderengine"}


def test_the_wheel_has_the_client_and_the_engine(distributions: Distributions) -> None:
    files = _files(distributions)
    engine = {path.relative_to(ROOT) for path in (ROOT / "chalicelib").rglob("*.py")}
    client = {path.relative_to(ROOT / "client/src") for path in (ROOT / "client/src/orderengine").rglob("*.py")}
    assert {f"orderengine/_engine/{path}" for path in engine} <= files.keys()
    assert {str(path) for path in client} <= files.keys()
    assert "orderengine/py.typed" in files
    assert "orderengine/_engine/app.py" not in files
    assert not [name for name in [*files, *_sources(distributions)] if "/ui/" in name]
    assert "orderengine/_engine/chalicelib/contract/openapi.json" in files
    print(f"the wheel has {len(files)} files and {distributions.wheel.stat().st_size:,} bytes")
    assert distributions.wheel.stat().st_size < MAX_WHEEL_BYTES


def test_no_distribution_has_tests_settings_or_secrets(distributions: Distributions) -> None:
    files = _files(distributions)
    for name in [*files, *_sources(distributions)]:
        parts = PurePosixPath(name).parts
        assert not {"tests", "infra", ".env", ".local", "__pycache__"} & set(parts), name
        assert not name.endswith((".pyc", ".pem", ".sqlite")), name
    assert not [name for name, content in files.items() if _SECRETS.search(content)]
    assert not [name for name, content in files.items() if str(ROOT).encode() in content]


def test_the_source_distribution_has_what_its_build_reads(distributions: Distributions) -> None:
    assert {"pyproject.toml", "hatch_build.py", "README.md", "LICENSE"} <= _sources(distributions)
    assert "engine/chalicelib/__init__.py" in _sources(distributions)


def test_an_editable_installation_imports_the_checkout(tmp_path: Path) -> None:
    script = "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])"
    run(sys.executable, "-c", script, tmp_path, cwd=ROOT / "client")
    (built,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(built) as wheel:
        (paths,) = [wheel.read(file).decode() for file in wheel.namelist() if file.endswith(".pth")]
    assert set(paths.split()) == {str(ROOT / "client/src"), str(ROOT)}


def test_the_metadata_say_what_an_index_shows(distributions: Distributions) -> None:
    files = _files(distributions)
    (metadata,) = [content for name, content in files.items() if name.endswith(".dist-info/METADATA")]
    headers = HeaderParser().parsestr(metadata.decode())
    project = tomllib.loads((ROOT / "client/pyproject.toml").read_text())["project"]
    assert (headers["Name"], headers["Version"]) == ("orderengine", project["version"])
    assert headers["License-Expression"] == "MIT"
    assert headers["Description-Content-Type"] == "text/markdown"
    assert set(headers.get_all("Provides-Extra") or ()) == {"cli", "mcp", "test"}
    assert (ROOT / "client/LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
