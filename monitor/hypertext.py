"""HTML → the text that people see of it."""

from html.parser import HTMLParser

SILENT = {"script", "style", "title", "template", "noscript", "svg"}
# Whatever else begins or ends is a word's end.
WITHIN = {"a", "abbr", "b", "big", "code", "em", "font", "i", "kbd", "mark", "q", "s", "small", "span", "strong", "sub",
          "sup", "u", "var", "wbr"}  # fmt: skip


class _Text(HTMLParser):
    """Collects what is between the tags."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._silent += tag in SILENT
        self._part(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self._part(tag)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= self._silent > 0 and tag in SILENT
        self._part(tag)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)

    def _part(self, tag: str) -> None:
        if tag not in WITHIN:
            self.parts.append(" ")


def is_hypertext(text: str) -> bool:
    """Whether a text begins as an HTML page does."""
    return text.lstrip("\ufeff \t\r\n")[:15].lower().startswith(("<!doctype html", "<html", "<head", "<body"))


def read_text(page: str) -> str:
    """The text of a page in one line, however broken the page is."""
    parser = _Text()
    parser.feed(page)
    parser.close()
    return " ".join("".join(parser.parts).split())
