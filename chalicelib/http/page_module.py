"""Composes the modules of the page into one, so that a browser loads them in one round trip.

The sources are ES modules by these rules, which let text be put together without a parser of JavaScript:

- An import is ``import {a, b} from "./x.js";``, and an export is ``export`` before a declaration.
- A comment has lines of its own, and is ``// ...`` or ``/** ... */``.
- A name of the top level is declared once in all modules, and no import makes a cycle.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

ENTRY = "app.js"
LIBRARY = "lit.js"

_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*\*(?:(?!\*/)[\s\S])*\*/[ \t]*)$", re.MULTILINE)
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w-]+\.js)";$', re.MULTILINE)
_DECLARATION = re.compile(
    r"^(?P<export>export )?(?:async )?(?:const|let|class|function\*?) (?P<name>[\w$]+)", re.MULTILINE
)
_LEFT = re.compile(r"^(?:import\b.*|export (?!(?:async )?(?:const|let|class|function\*?) ).*)$", re.MULTILINE)
#: The export of a bundle: ``export{x as html,y as render};``.
_BUNDLE_EXPORT = re.compile(r"\bexport\{([^}]*)\};?\s*$")


class PageSourceError(ValueError):
    """The sources of the page break a rule. The message names the module."""


@dataclass(frozen=True, slots=True)
class _Module:
    code: str
    #: Names by the module that they are imported from.
    imports: Mapping[str, tuple[str, ...]]
    declared: tuple[str, ...]
    exports: frozenset[str]


def compose(sources: Mapping[str, str], library: str, library_path: str) -> str:
    """One module of the sources by file name, each after those it imports.

    ``library`` is the text of ``lit.js``, which stays a module of its own and is served at ``library_path``.

    :raises PageSourceError: for sources that break a rule.
    """
    modules = {name: _module(name, text) for name, text in sources.items()}
    exports = {LIBRARY: _bundle_exports(library)} | {name: module.exports for name, module in modules.items()}
    for name, module in modules.items():
        _check_imports(name, module, exports)
    order = _in_order(modules, ENTRY, ())
    _check_declared_once(modules, order)
    used = dict.fromkeys(one for name in order for one in modules[name].imports.get(LIBRARY, ()))
    code = "".join(modules[name].code for name in order)
    return f'import {{{", ".join(used)}}} from "./{library_path}";\n{code}'


def without_indentation(text: str) -> str:
    """The lines that are not blank, without the space around them."""
    lines = (line.strip(" \t") for line in text.split("\n"))
    return "".join(f"{line}\n" for line in lines if line)


def _module(name: str, source: str) -> _Module:
    code = _COMMENT.sub("", source)
    imports = {path: _names(names) for names, path in _IMPORT.findall(code)}
    code = _IMPORT.sub("", code)
    if left := _LEFT.search(code):
        raise PageSourceError(f"{name}: write imports and exports by the rules, not {left[0]!r}")
    declarations = list(_DECLARATION.finditer(code))
    exports = frozenset(one["name"] for one in declarations if one["export"])
    return _Module(without_indentation(code), imports, tuple(one["name"] for one in declarations), exports)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _bundle_exports(library: str) -> frozenset[str]:
    found = _BUNDLE_EXPORT.search(library)
    return frozenset(name.rpartition(" ")[2] for name in _names(found[1])) if found else frozenset()


def _check_imports(name: str, module: _Module, exports: Mapping[str, frozenset[str]]) -> None:
    for path, names in module.imports.items():
        if path not in exports:
            raise PageSourceError(f"{name} imports {path}, which does not exist")
        if unknown := sorted(set(names) - exports[path]):
            raise PageSourceError(f"{name} imports {', '.join(unknown)}, which {path} does not export")


def _in_order(modules: Mapping[str, _Module], entry: str, above: tuple[str, ...]) -> list[str]:
    """The modules that ``entry`` needs, depth first, and itself: the order in which a browser would run them."""
    if entry in above:
        raise PageSourceError(f"imports make a cycle: {' -> '.join([*above[above.index(entry) :], entry])}")
    needed = [path for path in modules[entry].imports if path != LIBRARY]
    before = [name for path in needed for name in _in_order(modules, path, (*above, entry))]
    return list(dict.fromkeys([*before, entry]))


def _check_declared_once(modules: Mapping[str, _Module], order: list[str]) -> None:
    owners: dict[str, str] = {}
    for name, owner in _declared(modules, order):
        if name in owners:
            raise PageSourceError(f"{owners[name]} and {owner} both declare {name}")
        owners[name] = owner


def _declared(modules: Mapping[str, _Module], order: list[str]) -> Iterator[tuple[str, str]]:
    return ((name, owner) for owner in order for name in modules[owner].declared)
