"""The topics of Python's language reference, as the interactive help of the running Python holds them."""

import re
from collections.abc import Iterator

from catalog.records import Document
from catalog.sources import PYTHON, source

# A heading and the line of punctuation, as long as the heading or longer, that marks it in reStructuredText.
_HEADING = re.compile(r"^(?P<heading>\S.*)\n(?P<mark>[*=\-~^\"'+#])(?P=mark){2,}$", re.MULTILINE)
_RULE = re.compile(r"^[*=\-~^]{4,}\n+", re.MULTILINE)


@source(table="raw.documents", licence="PSF-2.0", package=PYTHON, part="pydoc_data.topics")
def python_topics() -> Iterator[tuple[Document, str]]:
    """Each section of a topic is one document, titled with its heading."""
    from pydoc_data.topics import topics  # 0.7 MB of text

    for name, text in sorted(topics.items()):
        headings = [*_HEADING.finditer(text)]
        ends = [heading.start() for heading in headings[1:]] + [len(text)]
        if not headings or text[: headings[0].start()].strip():  # what stands before the first heading
            yield Document(text=_readable(text[: headings[0].start() if headings else None]), title=name), _place(name)
        for heading, end in zip(headings, ends, strict=False):
            if body := _readable(text[heading.end() : end]):
                title = heading["heading"]
                yield Document(text=f"{title}\n\n{body}", title=title), _place(name, title)


def _readable(text: str) -> str:
    return _RULE.sub("", text).strip()


def _place(name: str, title: str = "") -> str:
    return f"pydoc_data.topics#{name}" + (f" {title}" if title else "")
