"""The page in a package: its modules as one, and minified, as is its style. A checkout serves the sources."""

import re
from collections.abc import Sequence
from pathlib import Path

import minify

from chalicelib.http.page_files import library_file
from chalicelib.http.page_module import ENTRY, LIBRARY, PageSourceError, compose

#: The licence of the library is in the first line of its comment, and how it was made in the others.
_HEAD = re.compile(r"\A/\*!\n(.*)\n[^*]*\*/")
_EXPORT = re.compile(r"^export (?=(?:async )?(?:const|let|class|function))", re.MULTILINE)


def minify_page(directory: Path, exports: Sequence[str] = ()) -> None:
    """Replace the modules and the style of the page in ``directory`` by minified ones.

    The server serves the one module that is left as it is. Only tests import it, and name what it ``exports``.

    :raises PageSourceError: for modules that cannot be composed.
    """
    modules = {file.name: file for file in directory.glob("*.js")}
    lit = modules.pop(LIBRARY)
    library = library_file(_minified_library(lit.read_text(encoding="utf-8")))
    lit.write_text(library.text, encoding="utf-8")
    sources = {name: file.read_text(encoding="utf-8") for name, file in modules.items()}
    imports, code = compose(sources, library.text, library.name).split("\n", 1)
    for file in modules.values():
        file.unlink()
    # Within a function, the minifier may shorten the names of the top level too.
    names = ",".join(exports)
    exporting, returning = (f"export const {{{names}}}=", f"return{{{names}}}") if exports else ("", "")
    wrapped = f"{exporting}(()=>{{{_EXPORT.sub('', code)}{returning}}})()"
    (directory / ENTRY).write_text(f"{imports}\n{minify.string('text/javascript', wrapped)}\n", encoding="utf-8")
    style = directory / "style.css"
    style.write_text(minify.string("text/css", style.read_text(encoding="utf-8")), encoding="utf-8")


def _minified_library(text: str) -> str:
    head = _HEAD.match(text)
    if head is None:
        raise PageSourceError(f"{LIBRARY} must begin with its licence")
    return f"/*! {head[1]} */\n{minify.string('text/javascript', text[head.end() :])}\n"
