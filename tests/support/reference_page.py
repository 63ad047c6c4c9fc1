"""Reads the reference page as a browser does, as far as tests need it."""

from html.parser import HTMLParser

from chalicelib.http.contract import DIRECTORY

#: Elements without an end tag.
_VOID = {"meta", "wbr"}
#: The headings before the samples of a call.
SAMPLES = ("curl", "Python")


class ReferencePage(HTMLParser):
    """The elements of the page. An end tag that closes no element is an error.

    ``samples`` has the code under the headings of ``SAMPLES``, by the id of its section.
    """

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.samples: dict[str, dict[str, str]] = {}
        self._section = ""
        self._heading = ""
        self.feed((DIRECTORY / "docs.html").read_text())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "section":
            self._section = attributes["id"]
        if tag in ("h4", "pre"):
            self._text = ""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element in {self._section}"
        if tag == "h4":
            self._heading = self._text
        if tag == "pre" and self._heading in SAMPLES:
            self.samples.setdefault(self._section, {})[self._heading] = self._text
            self._heading = ""

    def handle_data(self, data: str) -> None:
        self._text = getattr(self, "_text", "") + data

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    @property
    def links(self) -> list[str]:
        return [attributes["href"] for _, attributes in self.elements if "href" in attributes]
