"""The modules of the page become one module, and a source that breaks a rule is refused by name."""

import re

import pytest

from chalicelib.http.page_files import DIRECTORY
from chalicelib.http.page_module import LIBRARY, PageSourceError, compose

LIT = "const h=1,r=2;export{h as html,r as render};"


def composed(**sources: str) -> str:
    return compose({f"{name}.js": text for name, text in sources.items()}, LIT, "lit.123.js")


def test_a_module_comes_after_those_it_imports_and_once() -> None:
    text = composed(
        app='import {b} from "./b.js";\nimport {c} from "./c.js";\nb(c);\n',
        b='import {d} from "./d.js";\nexport const b = d;\n',
        c='import {d} from "./d.js";\nexport const c = d;\n',
        d="export const d = 1;\n",
    )
    assert text.splitlines()[1:] == ["export const d = 1;", "export const b = d;", "export const c = d;", "b(c);"]


def test_the_library_stays_a_module_that_is_imported_once() -> None:
    text = composed(
        app='import {a} from "./a.js";\nimport {html, render} from "./lit.js";\nrender(html`${a}`);\n',
        a='import {html} from "./lit.js";\nexport const a = html;\n',
    )
    assert text.splitlines() == [
        'import {html, render} from "./lit.123.js";',
        "export const a = html;",
        "render(html`${a}`);",
    ]


def test_an_import_may_span_lines() -> None:
    text = composed(app='import {\n  a,\n  b,\n} from "./a.js";\na(b);\n', a="export let a, b;\nexport class b {}\n")
    assert text.splitlines()[-1] == "a(b);"


def test_comments_blank_lines_and_indentation_are_left_out() -> None:
    text = composed(
        app='/** Says\n *  why. */\nconst url = "//host"; // stays\n\n'
        "// A comment.\nif (url) {\n\t// Another.\n  go();\n}\n"
    )
    assert text.splitlines()[1:] == ['const url = "//host"; // stays', "if (url) {", "go();", "}"]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (
            {"app": 'import {b} from "./b.js";\n', "b": 'import {app} from "./app.js";\nexport const b = 1;\n'},
            "app.js",
        ),
        ({"app": 'import {b} from "./b.js";\n'}, "app.js imports b.js, which does not exist"),
        (
            {"app": 'import {b, c} from "./b.js";\n', "b": "export const b = 1;\nconst c = 2;\n"},
            "c, which b.js does not",
        ),
        ({"app": 'import {live} from "./lit.js";\n'}, "live, which lit.js does not export"),
        ({"app": 'import {b as c} from "./b.js";\n', "b": "export const b = 1;\n"}, "b as c, which b.js does not"),
        (
            {"app": 'import * as b from "./b.js";\n', "b": "export const b = 1;\n"},
            "app.js: write imports and exports",
        ),
        ({"app": 'import "./b.js";\n', "b": "export const b = 1;\n"}, "app.js: write imports and exports"),
        ({"app": "export default 1;\n"}, "app.js: write imports and exports .* 'export default 1;'"),
        ({"app": "const a = 1;\nexport {a};\n"}, "app.js: write imports and exports"),
    ],
)
def test_a_source_that_breaks_a_rule_is_refused(sources: dict[str, str], message: str) -> None:
    with pytest.raises(PageSourceError, match=message):
        composed(**sources)


def test_a_cycle_is_named() -> None:
    with pytest.raises(PageSourceError, match=re.escape("a.js -> b.js -> a.js")):
        composed(
            app='import {a} from "./a.js";\n',
            a='import {b} from "./b.js";\nexport const a = 1;\n',
            b='import {a} from "./a.js";\nexport const b = 1;\n',
        )


@pytest.mark.parametrize("second", ["export const shared = 2;", "function shared() {}", "async function shared() {}"])
def test_a_name_of_two_modules_is_refused(second: str) -> None:
    with pytest.raises(PageSourceError, match=r"a\.js and app\.js both declare shared"):
        composed(app=f'import {{a}} from "./a.js";\n{second}\n', a="export const a = 1;\nconst shared = 1;\n")


def test_every_module_of_the_page_is_used() -> None:
    sources = {path.name: path.read_text() for path in DIRECTORY.glob("*.js")}
    library = sources.pop(LIBRARY)
    whole = compose(sources, library, "lit.js")
    for name, text in sources.items():
        assert compose({**sources, name: f"{text}\nexport const marked = 1;\n"}, library, "lit.js") != whole, name
