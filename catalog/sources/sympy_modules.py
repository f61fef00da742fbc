"""Mathematical source code: the files of sympy about five subjects."""

from collections.abc import Iterator

from catalog.records import Code
from catalog.sources import source
from catalog.sources._packages import files
from catalog.sources._sympy import FOLDERS, LICENCE, PACKAGE, PART


@source(table="raw.modules", licence=LICENCE, package=PACKAGE, part=PART)
def sympy_modules() -> Iterator[tuple[Code, str]]:
    """Whole files, those that only gather names included."""
    for file in files(PACKAGE, "sympy", *FOLDERS):
        yield Code(code=file.text, name=file.place), file.place
