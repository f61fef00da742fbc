"""OpenAI's fine-tuning: chats for supervised tuning, preferences for DPO; ten examples at least.

https://platform.openai.com/docs/guides/supervised-fine-tuning, https://platform.openai.com/docs/guides/direct-preference-optimization
"""

from typing import Any

from catalog.exports import Conversation, Example, Pair, export_format


@export_format(kinds=(Conversation, Pair), least=10)
def openai_ft(example: Example) -> dict[str, Any]:
    """A row: `messages`, or `input` with `preferred_output` and `non_preferred_output`."""
    match example:
        case Conversation(turns):
            return {"messages": list(turns)}
        case Pair(asked, chosen, rejected):
            return {
                "input": {"messages": list(asked), "tools": [], "parallel_tool_calls": True},
                "preferred_output": [{"role": "assistant", "content": chosen}],
                "non_preferred_output": [{"role": "assistant", "content": rejected}],
            }
        case _:
            raise TypeError(example)
