"""An answer of one token, with the probabilities of others in its place."""

import json
from collections.abc import Mapping
from math import log

from scripted.reply import Reply


def weighed(probabilities: Mapping[str, float], *, chat: bool = True) -> Reply:
    """The likeliest of the tokens as the answer; to a raw completion where it is no `chat`."""
    said = max(probabilities, key=lambda token: probabilities[token])
    logs = {token: log(p) for token, p in probabilities.items() if p > 0}
    if chat:
        others = [{"token": token, "logprob": number} for token, number in logs.items()]
        told = {"content": [{"token": said, "logprob": logs[said], "top_logprobs": others}]}
    else:
        told = {"tokens": [said], "token_logprobs": [logs[said]], "top_logprobs": [logs]}
    text = {"message": {"role": "assistant", "content": said}} if chat else {"text": said}
    choice = {"index": 0, "finish_reason": "stop", "logprobs": told, **text}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return Reply(
        body=json.dumps({"id": "scripted", "created": 0, "model": "scripted", "choices": [choice], "usage": usage})
    )
