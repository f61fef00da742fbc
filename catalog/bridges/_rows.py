"""What rows of many tools have in common: texts, turns, answers."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from catalog.bridges import Row
from catalog.formats.table import Fault
from catalog.records import Message

ROLES = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "model", "bot", "function_call"), "assistant"),
    **dict.fromkeys(("tool", "function", "observation", "function_response"), "tool"),
}
"""Whose turn it is: what tools call it → what we do."""


def lists(columns: Mapping[str, str], name: str) -> bool:
    """Whether there is such a column, and it holds lists."""
    kind = columns.get(name, "")
    return kind.endswith("]") or kind == "JSON"


def text(row: Row, name: str) -> str:
    """The text in a column.

    Raises:
        Fault: where there is none, or it is blank.
    """
    value = row.get(name)
    if value is None:
        raise Fault(f"{name} is null")
    if not isinstance(value, str):
        raise Fault(f"{name} is {type(value).__name__}, text is wanted")
    if not value.strip():
        raise Fault(f"{name} is blank")
    return value


def has(row: Row, name: str) -> bool:
    """Whether a row has something in a column."""
    value = row.get(name)
    return bool(value.strip() if isinstance(value, str) else value)


def turn(role: str, content: str) -> Message:
    """A turn of a conversation."""
    return Message(role=role, content=content)


def turns(value: Any, name: str) -> list[Message]:
    """The turns of a conversation in a column, as `turns_in` finds them.

    Raises:
        Fault: where it is none, with the column's name.
    """
    try:
        return turns_in(value)
    except Fault as fault:
        raise Fault(f"{name} {fault}") from None


def turns_in(value: Any) -> list[Message]:
    """The turns of a conversation, whether they are written as role and content or as from and value.

    Raises:
        Fault: where it is none, or a turn is not text.
    """
    if not isinstance(value, (list, tuple)):
        raise Fault(f"is {'null' if value is None else type(value).__name__}, a list of turns is wanted")
    if not value:
        raise Fault("has no turns")
    return [_turn(each) for each in cast("Sequence[Any]", value)]


def _turn(value: Any) -> Message:
    if not isinstance(value, dict):
        raise Fault(f"has a turn that is {type(value).__name__}, an object is wanted")
    told = cast("dict[str, Any]", value)
    whose = told.get("role") or told.get("from")
    role = ROLES.get(whose.lower()) if isinstance(whose, str) else None
    if role is None:
        raise Fault(f"has a turn of {whose!r:.40}, one of these is wanted: {', '.join(ROLES)}")
    content = told.get("content") if told.get("content") is not None else told.get("value")
    if isinstance(content, list):
        content = _parts(cast("list[Any]", content))
    if not isinstance(content, str):
        kind = "null" if content is None else type(content).__name__
        raise Fault(f"has a turn of the {role} that is {kind}, text is wanted")
    if not content.strip():
        raise Fault(f"has a blank turn of the {role}")
    return turn(role, content)


def _parts(parts: Sequence[Any]) -> str:
    """The text of a turn that is written in parts."""
    texts: list[str] = []
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        said = cast("dict[str, Any]", part).get("text") if kind == "text" else None
        if not isinstance(said, str):
            raise Fault(f"has a turn with a part that is {kind or type(part).__name__}, text is wanted")
        texts.append(said)
    return "\n".join(texts)


def talk(system: str, history: Any, question: str, answer: str) -> dict[str, Any]:
    """A conversation from its parts: what the system says, earlier pairs of question and answer, and the last one.

    Raises:
        Fault: where the history is no list of pairs.
    """
    said = [turn("system", system)] if system.strip() else []
    for pair in cast("list[Any]", history or []):
        if not isinstance(pair, list) or [type(each) for each in cast("list[Any]", pair)] != [str, str]:
            raise Fault("history holds something else than pairs of texts")
        said += [turn("user", pair[0]), turn("assistant", pair[1])]
    return {"messages": [*said, turn("user", question), turn("assistant", answer)]}


def pair(asked: Sequence[Message], row: Row, chosen: str = "chosen", rejected: str = "rejected") -> dict[str, Any]:
    """A preference: the better and the worse answer to what was asked.

    The answers may be texts, turns, or whole conversations, of which all but the last turn is what was asked.

    Raises:
        Fault: where the two answer something else, or more was asked than one question.
    """
    (before, better), (others, worse) = (_answer(row.get(name), name) for name in (chosen, rejected))
    if before != others:
        raise Fault(f"{chosen} and {rejected} answer different things")
    asked = [*asked] or before
    if [each["role"] for each in asked] != ["user"]:
        raise Fault(f"what was asked has {len(asked)} turns, one of the user is wanted")
    if before and before != asked:
        raise Fault(f"{chosen} and {rejected} answer something else than was asked")
    return {"prompt": asked[0]["content"], "chosen": better, "rejected": worse}


def _answer(value: Any, name: str) -> tuple[list[Message], str]:
    """What comes before an answer, and the answer."""
    if isinstance(value, dict):
        value = [cast("dict[str, Any]", value)]
    if not isinstance(value, list):
        return [], text({name: value}, name)
    *before, last = turns(value, name)
    if last["role"] != "assistant":
        raise Fault(f"{name} ends with a turn of the {last['role']}, one of the assistant is wanted")
    return before, last["content"]
