"""Puts the engine into the wheel, for the test kit: ``chalicelib`` as ``orderengine._engine.chalicelib``.

A bot may be a Chalice application, whose own package is called ``chalicelib`` by rule, so the wheel may not have one.
The hook writes every import of the engine anew, in the engine and in ``orderengine.testing``. In a checkout and in an
editable installation nothing is rewritten: the kit imports the checkout's engine.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HOME = "orderengine._engine"
PACKAGE = "chalicelib"
_KIT = "src/orderengine/testing"
_ENGINE = re.compile(rf"{PACKAGE}(?:\.\w+)*")
#: Directories: caches, and the engine's page for browsers, which the test kit does without (its ``GET /`` is 404).
_LEFT_OUT = {"__pycache__", "ui"}
#: What a package of the engine has. Anything else lies there by accident, and may be secret.
_SUFFIXES = {".py", ".sql", ".json", ".html", ".txt"}


class Edit(NamedTuple):
    """Text of a line, in bytes, that gives way to another."""

    line: int
    start: int
    end: int
    text: str


class EngineHook(BuildHookInterface[Any]):
    """The custom hook of ``pyproject.toml``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """:raises ValueError: for a file that is none of the engine's, or a reference that cannot be rewritten."""
        if version == "editable":
            return
        root = Path(self.root)
        # The source distribution has the engine in a directory of its own, and builds the same wheel.
        is_checkout = not (root / "engine").is_dir()
        engine = root.parent if is_checkout else root / "engine"
        if self.target_name == "wheel":
            self._rewritten = TemporaryDirectory()
            build_data["force_include"][self._rewritten.name] = "orderengine"
            write_rewritten(engine, root / _KIT, Path(self._rewritten.name))
        elif is_checkout:
            for path in _files(engine / PACKAGE):
                build_data["force_include"][str(path)] = f"engine/{path.relative_to(engine)}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable" and self.target_name == "wheel":
            self._rewritten.cleanup()


def write_rewritten(engine: Path, kit: Path, target: Path) -> None:
    """Write the engine and the kit, as the wheel has them, below ``target``."""
    _copy(engine / PACKAGE, target / "_engine" / PACKAGE)
    (target / "_engine" / "__init__.py").write_text('"""The engine, for ``orderengine.testing`` alone."""\n')
    _copy(kit, target / "testing")


def _files(directory: Path) -> list[Path]:
    """:raises ValueError: for a file that is none of the engine's."""
    found = [path for path in directory.rglob("*") if path.is_file()]
    files = [path for path in found if not _LEFT_OUT & {*path.relative_to(directory).parts}]
    if strange := [str(path) for path in files if path.suffix not in _SUFFIXES]:
        raise ValueError(f"these files would be in the wheel, and are no part of the engine: {', '.join(strange)}")
    return sorted(files)


def _copy(source: Path, target: Path) -> None:
    for path in _files(source):
        to = target / path.relative_to(source)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(rewrite(path.read_bytes(), str(path)) if path.suffix == ".py" else path.read_bytes())


def rewrite(source: bytes, name: str) -> bytes:
    """A module with every reference to the engine's modules led to ``orderengine._engine``.

    :raises ValueError: if it refers to them in a way that cannot be rewritten.
    """
    lines = source.splitlines(keepends=True)
    for edit in sorted(_edits(ast.parse(source), lines, name), reverse=True):
        line = lines[edit.line]
        lines[edit.line] = line[: edit.start] + edit.text.encode() + line[edit.end :]
    result = b"".join(lines)
    if left := list(_edits(ast.parse(result), result.splitlines(keepends=True), name)):
        raise ValueError(f"{name}:{left[0].line + 1}: a reference to the engine is left")
    return result


def _edits(tree: ast.Module, lines: list[bytes], name: str) -> Iterator[Edit]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and _is_engine(node.module):
            start = lines[node.lineno - 1].index(str(node.module).encode(), node.col_offset)
            yield Edit(node.lineno - 1, start, start, f"{HOME}.")
        elif isinstance(node, ast.Import):
            yield from _edits_of_import(node, tree, name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(PACKAGE):
            yield from _edits_of_text(node, node.value, lines, name)


def _edits_of_import(node: ast.Import, tree: ast.Module, name: str) -> Iterator[Edit]:
    for alias in node.names:
        if not _is_engine(alias.name):
            continue
        line, start = alias.lineno - 1, alias.col_offset
        top = alias.name.partition(".")[0]
        if alias.asname is None and any(isinstance(one, ast.Name) and one.id == top for one in ast.walk(tree)):
            # ``import chalicelib.x`` binds ``chalicelib``, and its new form would bind ``orderengine``.
            raise ValueError(f"{name}:{line + 1}: write 'from {top} import ...' or 'import {alias.name} as ...'")
        yield Edit(line, start, start, f"{HOME}.")


def _edits_of_text(node: ast.Constant, text: str, lines: list[bytes], name: str) -> Iterator[Edit]:
    """Text that names a module, as for ``importlib``. Text about one, such as a docstring, stays."""
    if not _ENGINE.fullmatch(text):
        return
    line = node.lineno - 1
    start = lines[line].find(text.encode(), node.col_offset)
    if start < 0:
        raise ValueError(f"{name}:{line + 1}: write {text!r} in one piece")
    yield Edit(line, start, start, f"{HOME}.")


def _is_engine(module: str | None) -> bool:
    return module is not None and _ENGINE.fullmatch(module) is not None
