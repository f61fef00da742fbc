"""What can be asked of a model, how it goes over the wire, and what makes two requests the same question."""

import base64
import json
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.records import Message, Token, clean

Grammar = Callable[[Mapping[str, Any], int | None], str]
"""Makes a grammar of a schema; of answers that end within so many tokens, where a number is given."""
FEEDBACK_LENGTH = 4000
"""Characters of a malformed answer that the model is shown again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A question to a model: chat messages, or a raw `prefix` to complete.

    `sample` tells the n draws for one prompt apart: each has its own row in the call store. Requests in a row that
    differ in nothing but `seed` and `sample` go to the endpoint as one, with its parameter `n`.

    `images` are addresses (https: or data:) of pictures to look at, shown with the last message. `logprobs` asks for
    the log-probability of each token of the answer and of that many others. `logit_bias` maps token ids to a bias.
    `bounded` makes texts and lists without bounds end within `max_tokens`, where the endpoint can see to that: for the
    second try, since it may cut a text that would have ended later. `watermark` names the one that the text is to
    have (`tasks.llm.watermark`); its bias, which is long, is put in when the request is sent.
    """

    messages: tuple[Message, ...] = ()
    prefix: str = ""
    images: tuple[str, ...] = ()
    temperature: float = 0.7
    top_p: float = 1.0
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    seed: int = 0
    sample: int = 0
    schema: Mapping[str, Any] | None = None
    logprobs: int | None = None
    logit_bias: Mapping[str, float] | None = None
    bounded: bool = False
    watermark: str = ""

    @property
    def kind(self) -> str:
        """`chat` or `completion`, as in `catalog.calls`."""
        return "completion" if self.prefix else "chat"

    @property
    def path(self) -> str:
        """Where it is sent."""
        return "/completions" if self.prefix else "/chat/completions"

    @property
    def characters(self) -> int:
        """Length of what the model reads."""
        return len(self.prefix) + sum(len(message["content"]) for message in self.messages)

    @property
    def expected_tokens(self) -> int:
        """Tokens that an answer may have."""
        return self.max_tokens

    def question(self) -> list[Any]:
        """What makes two requests the same, whoever is asked."""
        return [
            [[clean(message["role"]), clean(message["content"])] for message in self.messages],
            clean(self.prefix),
            [self.temperature, self.top_p, self.max_tokens, [clean(text) for text in self.stop]],
            self.schema,
            self.seed,
            self.sample,
            *([list(self.images), self.logprobs, self.logit_bias] if self._more else ()),
            *([self.watermark] if self.watermark else ()),
        ]

    @property
    def _more(self) -> bool:
        return bool(self.images or self.logit_bias or self.logprobs is not None)

    def joins(self, other: "Wire") -> bool:
        """Whether one HTTP request can answer both: the same question, drawn twice."""
        return (
            isinstance(other, Request)
            and self.sample != other.sample
            and self.messages is other.messages
            and self.prefix == other.prefix
            and (self.temperature, self.top_p, self.max_tokens, self.stop, self.schema, self.logprobs, self.images)
            == (
                other.temperature,
                other.top_p,
                other.max_tokens,
                other.stop,
                other.schema,
                other.logprobs,
                other.images,
            )
            and (self.logit_bias, self.watermark) == (other.logit_bias, other.watermark)
        )

    def body(self, others: Sequence["Wire"], *, grammar: "Grammar | None") -> dict[str, Any]:
        """The HTTP request for this and the `others` that it is joined with, but for the model.

        `grammar` makes one of a schema and a number of tokens, for an endpoint that takes that.
        """
        body: dict[str, Any] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "seed": self.seed % 2**31,  # servers differ in the integers they take
        }
        if others:
            body["n"] = 1 + len(others)
        if self.stop:
            body["stop"] = [clean(text) for text in self.stop]
        if self.logit_bias:
            body["logit_bias"] = dict(self.logit_bias)
        if self.watermark:
            body["watermark"] = self.watermark
        if self.logprobs is not None:
            body |= {"logprobs": self.logprobs} if self.prefix else {"logprobs": True, "top_logprobs": self.logprobs}
        if self.schema is not None:
            schema = closed(self.schema)
            if grammar is not None:
                body["grammar"] = grammar(schema, self.max_tokens if self.bounded else None)
            else:
                name = _NAME.sub("_", str(self.schema.get("title", "answer")))[:64]
                wanted = {"name": name, "schema": schema, "strict": True}
                body["response_format"] = {"type": "json_schema", "json_schema": wanted}
        if self.prefix:
            return body | {"prompt": clean(self.prefix)}
        messages: list[dict[str, Any]] = [
            {"role": clean(turn["role"]), "content": clean(turn["content"])} for turn in self.messages
        ]
        if self.images:
            shown = [{"type": "image_url", "image_url": {"url": image}} for image in self.images]
            messages[-1]["content"] = [{"type": "text", "text": messages[-1]["content"]}, *shown]
        return body | {"messages": messages}

    def again(self, text: str, problem: str, *, cut: bool, seed: int) -> "Request":
        """The question to ask after a malformed answer: told what is wrong, where it is JSON that was wanted.

        `cut`: the answer ended at the limit of its length; the next may be twice as long.
        """
        told = self.messages
        if self.schema is not None and self.messages:
            complaint = WRONG.format(problem=problem, schema=json.dumps(self.schema, ensure_ascii=False))
            told = (
                *self.messages,
                Message(role="assistant", content=text[:FEEDBACK_LENGTH]),
                Message(role="user", content=complaint),
            )
        return Request(
            messages=told,
            prefix=self.prefix,
            images=() if told is not self.messages else self.images,
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=2 * self.max_tokens if cut and self.schema is not None else self.max_tokens,
            stop=self.stop,
            seed=seed,
            sample=self.sample,
            schema=self.schema,
            logprobs=self.logprobs,
            logit_bias=self.logit_bias,
            bounded=cut,
            watermark=self.watermark,
        )

    def read(self, response: Any) -> list[tuple[str, str] | None]:
        """(text, finish reason) of each completion in a response; None for one that is not there.

        Raises:
            ValueError: where it is no completion.
        """
        match response:
            case {"choices": [_, *_] as choices}:
                pass
            case {"choices": []}:
                raise ValueError("it has no choices")
            case _:
                raise ValueError(f"it is no completion: {json.dumps(response)[:200]}")
        read: dict[int, tuple[str, str]] = {}
        for place, choice in enumerate(choices):
            match choice:
                case {"message": {"content": str() | None as text}}:
                    pass
                case {"text": str() as text}:
                    pass
                case _:
                    raise ValueError(f"it is no completion: {json.dumps(response)[:200]}")
            index = choice.get("index")
            finish = clean(str(choice.get("finish_reason") or ""))
            read[index if isinstance(index, int) else place] = (clean(text or ""), finish)
        if len(read) == 1 and 0 not in read:
            read = {0: next(iter(read.values()))}
        return [read.get(place) for place in range(max(read) + 1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Embed:
    """A text to embed; `dimensions`, where the model lets them be chosen."""

    text: str
    dimensions: int | None = None

    kind = "embedding"
    path = "/embeddings"
    schema = None
    logprobs = None
    expected_tokens = 0

    @property
    def characters(self) -> int:
        """Length of what the model reads."""
        return len(self.text)

    def question(self) -> list[Any]:
        """What makes two requests the same."""
        return ["embedding", clean(self.text), self.dimensions]

    def joins(self, other: "Wire") -> bool:
        """Whether one HTTP request can answer both."""
        return isinstance(other, Embed) and other.dimensions == self.dimensions

    def body(self, others: Sequence["Wire"], *, grammar: "Grammar | None") -> dict[str, Any]:
        """The HTTP request for this and the others, but for the model."""
        del grammar
        texts = [clean(one.text) for one in (self, *others) if isinstance(one, Embed)]
        body: dict[str, Any] = {"input": texts, "encoding_format": "float"}
        return body | ({"dimensions": self.dimensions} if self.dimensions else {})

    def read(self, response: Any) -> list[tuple[str, str] | None]:
        """The vectors, each packed as text.

        Raises:
            ValueError: where the response holds none.
        """
        try:
            vectors = {int(item["index"]): [float(x) for x in item["embedding"]] for item in response["data"]}
        except (TypeError, KeyError, ValueError):
            raise ValueError(f"it holds no embeddings: {json.dumps(response)[:200]}") from None
        if not vectors:
            raise ValueError("it holds no embeddings")
        return [(pack(vectors[i]), "") if i in vectors else None for i in range(max(vectors) + 1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """A picture to make: `size` such as 1024x1024; `sample` tells several for one prompt apart."""

    prompt: str
    size: str = "1024x1024"
    sample: int = 0

    kind = "image"
    path = "/images/generations"
    schema = None
    logprobs = None
    expected_tokens = 0

    @property
    def characters(self) -> int:
        """Length of what the model reads."""
        return len(self.prompt)

    def question(self) -> list[Any]:
        """What makes two requests the same."""
        return ["image", clean(self.prompt), self.size, self.sample]

    def joins(self, other: "Wire") -> bool:
        """Pictures are asked for one by one."""
        del other
        return False

    def body(self, others: Sequence["Wire"], *, grammar: "Grammar | None") -> dict[str, Any]:
        """The HTTP request, but for the model."""
        del others, grammar
        return {"prompt": clean(self.prompt), "size": self.size, "n": 1, "response_format": "b64_json"}

    def read(self, response: Any) -> list[tuple[str, str] | None]:
        """The picture, in base64.

        Raises:
            ValueError: where the response holds none.
        """
        match response:
            case {"data": [{"b64_json": str() as picture}, *_]}:
                return [(picture, "")]
            case _:
                raise ValueError(f"it holds no picture as b64_json: {json.dumps(response)[:200]}")


Wire = Request | Embed | Draw
"""Whatever can be asked over HTTP."""


def pack(vector: Sequence[float]) -> str:
    """A vector as text: its 32-bit floats, little-endian, in base64."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def unpack(text: str) -> tuple[float, ...]:
    """The vector that `pack` packed."""
    data = base64.b64decode(text)
    return struct.unpack(f"<{len(data) // 4}f", data)


def tokens_of(response: str) -> tuple[Token, ...]:
    """The tokens of a stored answer, with their log-probabilities, as chat and raw completions give them."""
    choice = json.loads(response)["choices"][0]
    match choice.get("logprobs"):
        case {"content": [*content]}:
            return tuple(
                Token(
                    text=item["token"],
                    logprob=item["logprob"],
                    others={other["token"]: other["logprob"] for other in item.get("top_logprobs") or ()},
                )
                for item in content
            )
        case {"tokens": [*texts], "token_logprobs": [*numbers], **rest}:
            others = rest.get("top_logprobs") or [{}] * len(texts)
            return tuple(
                Token(text=text, logprob=number or 0.0, others=dict(other or {}))
                for text, number, other in zip(texts, numbers, others, strict=False)
            )
        case _:
            return ()


_NAME = re.compile(r"[^a-zA-Z0-9_-]")


def closed(schema: Any) -> Any:
    """The schema with every object's fields required and no others allowed: what strict mode asks of a schema."""
    if isinstance(schema, Mapping):
        inner = {str(key): closed(value) for key, value in schema.items()}
        if isinstance(properties := inner.get("properties"), dict) and inner.get("type") == "object":
            inner |= {"required": list(properties), "additionalProperties": False}
        return inner
    return [closed(part) for part in schema] if isinstance(schema, (list, tuple)) else schema


WRONG = """\
That answer cannot be used: {problem}.
Answer once more, with nothing but complete JSON that is valid under this schema:
{schema}"""
