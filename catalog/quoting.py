"""Names and values as SQL writes them, where a statement takes no parameter for them."""


def identifier(name: str) -> str:
    """A name, in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text, in single quotes."""
    return "'" + text.replace("'", "''") + "'"
