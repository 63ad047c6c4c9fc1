"""The page in a package: one module and one style, minified, which the server serves as it serves the sources."""

import re
import shutil
from pathlib import Path

import brotli
import pytest

from chalicelib.http import page_files
from chalicelib.http.page_files import DIRECTORY, PageFile
from chalicelib.http.page_module import ENTRY, LIBRARY, PageSourceError
from infra.aws.page import minify_page

MAX_BYTES = 60_000
MAX_COMPRESSED_BYTES = 20_000
_IMPORT = re.compile(r"^import \{([^}]*)\} from", re.MULTILINE)


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """A copy of the page, minified."""
    shutil.copytree(DIRECTORY, tmp_path, dirs_exist_ok=True)
    minify_page(tmp_path)
    return tmp_path


def served(directory: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, PageFile]:
    """The files that a server with this page has."""
    monkeypatch.setattr(page_files, "DIRECTORY", directory)
    return dict(page_files.page_files.__wrapped__())


def imported(code: str) -> set[str]:
    return {name for names in _IMPORT.findall(code) for name in names.split(", ")}


def test_one_module_is_left_beside_the_library(packed: Path) -> None:
    assert {file.name for file in packed.glob("*.js")} == {ENTRY, LIBRARY}


def test_the_server_serves_the_minified_module_as_it_is_with_the_library_by_its_name(
    packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = served(packed, monkeypatch)
    assert files["app"].text == (packed / ENTRY).read_text()
    assert f'from "./{files["lit"].name}";' in files["app"].text


def test_the_minified_module_imports_what_the_sources_import_and_exports_nothing(
    packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, source = (served(directory, monkeypatch)["app"].text for directory in (packed, DIRECTORY))
    assert imported(code) == imported(source) != set()
    assert re.search(r"^export\b", source, re.MULTILINE)
    assert not re.search(r"^\s*export\b|[;}]export\b", code)


def test_the_library_keeps_its_licence_and_leaves_out_how_it_is_made(packed: Path) -> None:
    library = (packed / LIBRARY).read_text()
    assert library.startswith("/*! @license lit-html 3")
    assert "esbuild" in (DIRECTORY / LIBRARY).read_text()
    assert "esbuild" not in library


def test_the_page_stays_within_its_budget(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it: as it is, and as CloudFront compresses it."""
    texts = [(packed / "index.html").read_text(), *(file.text for file in served(packed, monkeypatch).values())]
    assert sum(len(text.encode()) for text in texts) <= MAX_BYTES
    assert sum(len(brotli.compress(text.encode())) for text in texts) <= MAX_COMPRESSED_BYTES


def test_a_declaration_stays_behind_the_one_that_it_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later versions of the minifier move it before the other, where it throws."""
    for name in ("lit.js", "style.css", "icon.svg"):
        shutil.copy(DIRECTORY / name, tmp_path)
    source = "(async () => {\nconst given = {a: 1};\nconst {a} = await ask({given});\nconsole.log(a, given);\n})();\n"
    (tmp_path / ENTRY).write_text(source)
    minify_page(tmp_path)
    code = served(tmp_path, monkeypatch)["app"].text
    assert code.index("{a:1}") < code.index("ask(")


def test_minified_files_are_smaller_than_those_of_a_checkout(packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small, whole = (served(directory, monkeypatch) for directory in (packed, DIRECTORY))
    for key in ("app", "style"):
        assert 0 < len(small[key].text) < 0.9 * len(whole[key].text), key


def test_a_text_of_the_page_reaches_the_browser_as_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The minifier writes the line breaks of a template out, after which its lines may look like code."""
    for name in ("lit.js", "style.css", "icon.svg"):
        shutil.copy(DIRECTORY / name, tmp_path)
    lines = ["with client:", "    submit()", "", "import json", "// no comment", "export const no = 1"]
    template = "\\n".join(lines)
    source = f'import {{html}} from "./lit.js";\n\nconsole.log(html, `{template}`);\n'
    (tmp_path / ENTRY).write_text(source)
    minify_page(tmp_path)
    assert "\n".join(lines) in served(tmp_path, monkeypatch)["app"].text.replace("\\n", "\n")


def test_modules_that_cannot_be_composed_are_not_packaged(tmp_path: Path) -> None:
    shutil.copytree(DIRECTORY, tmp_path, dirs_exist_ok=True)
    with (tmp_path / "route.js").open("a") as file:
        file.write('import {absent} from "./state.js";\n')
    with pytest.raises(PageSourceError, match="absent"):
        minify_page(tmp_path)
    assert (tmp_path / "route.js").exists()
