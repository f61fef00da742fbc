"""What can be asked besides one chat completion, as it goes over the wire and as it comes back."""

import base64
from typing import Any

import pytest
from scripted import BindLLM, Reply, png_of, question, vector_of

from catalog.records import Answer
from tasks.llm import LLM, Failed, Request


def draws(n: int, **parameters: Any) -> list[Request]:
    """The same question n times."""
    messages = ({"role": "user", "content": "a number?"},)
    return [Request(messages=messages, seed=number, sample=number, **parameters) for number in range(n)]


def bodies_of(llm: LLM, bodies: list[dict[str, Any]], requests: list[Request]) -> list[dict[str, Any]]:
    """What went over the wire for these requests."""
    before = len(bodies)
    answers = llm.ask(requests, str)
    assert all(isinstance(answer, Answer) for answer in answers)
    return bodies[before:]


def test_draws_for_one_question_go_as_one_request_and_stay_apart(scripted_llm: BindLLM) -> None:
    asked: list[int] = []
    llm = scripted_llm(lambda prompt, body: asked.append(body["seed"]) or f"draw {body['seed']}")

    answers = llm.ask(draws(3), str)

    assert [answer.value for answer in answers] == ["draw 0", "draw 1", "draw 2"]
    assert len({answer.call for answer in answers}) == 3
    assert len(asked) == 3  # the server makes each choice on its own, of one request
    assert llm.ask(draws(3), str) == answers


def test_draws_that_are_known_are_not_asked_for_again(scripted_llm: BindLLM) -> None:
    bodies: list[dict[str, Any]] = []
    llm = scripted_llm(lambda prompt, body: bodies.append(body) or "x")
    llm.ask(draws(2), str)
    before = len(bodies)

    llm.ask(draws(5), str)

    assert len(bodies) - before == 3


def test_a_server_that_ignores_n_is_asked_one_by_one(scripted_llm: BindLLM) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> Reply:
        sent.append(body.get("n", 1))
        choice = f'{{"index": 0, "finish_reason": "stop", "message": {{"content": "{body["seed"]}"}}}}'
        return Reply(body=f'{{"choices": [{choice}]}}')

    sent: list[int] = []
    llm = scripted_llm(answer)

    assert [answer.value for answer in llm.ask(draws(3), str)] == ["0", "1", "2"]
    assert [answer.value for answer in llm.ask(draws(2, temperature=0.1), str)] == ["0", "1"]
    # A server that answers each choice is asked by the scripted one for each of them.
    assert sent.count(1) == 4


def test_the_usage_of_a_joined_request_is_counted_once(scripted_llm: BindLLM) -> None:
    from tasks.ledger import Ledger, keep

    with keep(Ledger()) as ledger:
        scripted_llm(lambda prompt, body: "three little words").ask(draws(4), str)

    step = ledger.steps["method"]
    assert (step.calls, step.prompt_tokens, step.completion_tokens) == (4, 2, 12)


def test_every_parameter_reaches_the_server(scripted_llm: BindLLM) -> None:
    bodies: list[dict[str, Any]] = []
    llm = scripted_llm(lambda prompt, body: bodies.append(body) or "x")
    request = question(
        "a", temperature=0.2, top_p=0.9, max_tokens=7, stop=("\n",), seed=5, logit_bias={"42": -100}, logprobs=3
    )

    (body,) = bodies_of(llm, bodies, [request])

    wanted = {
        "temperature": 0.2,
        "top_p": 0.9,
        "max_tokens": 7,
        "stop": ["\n"],
        "seed": 5,
        "logit_bias": {"42": -100},
        "logprobs": True,
        "top_logprobs": 3,
    }
    assert wanted.items() <= body.items()


@pytest.mark.parametrize("again", [False, True], ids=["asked", "reused"])
def test_log_probabilities_come_with_the_answer(scripted_llm: BindLLM, again: bool) -> None:
    llm = scripted_llm(lambda prompt, body: "two words")
    if again:
        llm.ask([question("a", logprobs=2)], str)

    (answer,) = llm.ask([question("a", logprobs=2)], str)

    assert [token.text for token in answer.tokens] == ["two", "words"]
    assert all(token.logprob < 0 for token in answer.tokens)
    assert [len(token.others) for token in answer.tokens] == [2, 2]


def test_an_answer_without_log_probabilities_is_not_taken_for_one_that_has_them(scripted_llm: BindLLM) -> None:
    llm = scripted_llm(lambda prompt, body: "two words")
    llm.ask([question("a")], str)

    assert len(llm.ask([question("a", logprobs=0)], str)[0].tokens) == 2


def test_the_finish_reason_comes_with_the_answer(scripted_llm: BindLLM) -> None:
    llm = scripted_llm(lambda prompt, body: Reply("cut", finish="length"))

    assert llm.ask([question("a")], str)[0].finish_reason == "length"


def test_pictures_are_shown_with_the_last_message(scripted_llm: BindLLM) -> None:
    bodies: list[dict[str, Any]] = []
    llm = scripted_llm(lambda prompt, body: bodies.append(body) or prompt)
    picture = "data:image/png;base64,iVBORw0KGgo="

    assert llm.ask([question("what is this?", images=(picture,))], str)[0].value == "what is this?"
    assert bodies[0]["messages"][-1]["content"] == [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": picture}},
    ]
    assert (
        llm.ask([question("what is this?")], str)[0].call
        != llm.ask([question("what is this?", images=(picture,))], str)[0].call
    )


def test_texts_are_embedded_many_at_once_and_each_once(scripted_llm: BindLLM) -> None:
    bodies: list[dict[str, Any]] = []
    llm = scripted_llm(lambda prompt, body: bodies.append(body) or "")
    texts = [f"text {number}" for number in range(100)]

    answers = llm.embed(texts, dimensions=8)

    assert [answer.value for answer in answers] == [pytest.approx(vector_of(text, 8), abs=1e-6) for text in texts]
    assert len(bodies) == 2
    assert llm.embed([*texts, "one more"], dimensions=8)[:100] == answers
    assert bodies[-1]["input"] == ["one more"]


def test_a_vector_that_is_missing_is_asked_for_on_its_own(scripted_llm: BindLLM) -> None:
    def answer(prompt: str, body: dict[str, Any]) -> str | Reply:
        data = '{"data": [{"index": 0, "embedding": [1.0]}]}'
        return Reply(body=data)

    llm = scripted_llm(answer)

    assert [answer.value for answer in llm.embed(["a", "b", "c"])] == [(1.0,)] * 3


def test_a_picture_is_drawn_and_kept(scripted_llm: BindLLM) -> None:
    bodies: list[dict[str, Any]] = []
    llm = scripted_llm(lambda prompt, body: bodies.append(body) or "")

    (picture,) = llm.draw(["a red square"], size="256x256")

    assert picture.value.startswith(b"\x89PNG")
    assert llm.draw(["a red square"], size="256x256") == [picture]
    assert len(bodies) == 1
    assert (bodies[0]["size"], bodies[0]["response_format"]) == ("256x256", "b64_json")


def test_an_image_server_that_sends_addresses_only_fails_the_row(scripted_llm: BindLLM) -> None:
    llm = scripted_llm(lambda prompt, body: Reply(body='{"data": [{"url": "http://x/y.png"}]}'), retries=0)

    (picture,) = llm.draw(["a red square"])

    assert isinstance(picture, Failed)
    assert "no picture as b64_json" in picture.evidence


@pytest.mark.parametrize(
    ("error", "dropped"),
    [
        ({"message": "Unsupported parameter: 'max_tokens' is not supported.", "param": "max_tokens"}, "max_tokens"),
        ({"message": "Unrecognized request argument supplied: 'seed'"}, "seed"),
        ({"message": "Unsupported value: 'temperature' does not support 0.7", "param": "temperature"}, "temperature"),
    ],
)
def test_a_parameter_that_an_endpoint_does_not_know_is_left_out_from_then_on(
    scripted_llm: BindLLM, error: dict[str, str], dropped: str
) -> None:
    import json

    def answer(prompt: str, body: dict[str, Any]) -> str | Reply:
        bodies.append(body)
        return Reply(status=400, body=json.dumps({"error": error})) if dropped in body else "fine"

    bodies: list[dict[str, Any]] = []
    llm = scripted_llm(answer, concurrency=2)

    answers = llm.ask([question(f"{number}") for number in range(3)], str)

    assert [answer.value for answer in answers] == ["fine"] * 3
    assert len(bodies) <= 5
    if dropped == "max_tokens":
        assert bodies[-1]["max_completion_tokens"] == 512


def test_image_bytes_are_those_that_the_server_sent(scripted_llm: BindLLM) -> None:
    llm = scripted_llm(lambda prompt, body: "")

    (picture,) = llm.draw(["a blue square"])

    assert picture.value in {png_of("a blue square"), base64.b64decode(base64.b64encode(picture.value))}
