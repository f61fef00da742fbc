"""Baize: a model talks to itself about a seed question, playing the human and the assistant until the topic ends.

Xu et al., 2023, https://arxiv.org/abs/2304.01196

Departs from the paper:
- The seeds are those of `raw.prompts`; the paper takes questions of Quora, Stack Overflow and MedQuAD.
- The self-distillation with feedback is left out: it samples from a model that was trained on these dialogues.
- A talk that does not begin with the human or has fewer than `rounds` rounds, and one in which a message is said again
  or runs in a circle, is dropped; a last message of the human that nobody answers is left out.
- Two talks of ours show the form, as a weak model needs; the human is told to begin with the question.
"""

from catalog.records import Answer, Dialogue, Message, Prompt
from quality.expectations import unique
from tasks.llm import LLM
from tasks.method import Paper, Partition, Rows, method
from tasks.operators.converse import circles, script
from tasks.operators.filter import keep

ROLES = {"Human": "user", "AI": "assistant"}


@method(
    paper=Paper(
        "Baize: An Open-Source Chat Model with Parameter-Efficient Tuning on Self-Chat Data",
        "Xu et al.",
        2023,
        "2304.01196",
    ),
    categories=["general-model-distillation"],
    also=["sft"],
    reads={"prompts": "raw.prompts"},
    expects=[unique("messages")],
)
def baize(
    prompts: Partition[Prompt],
    llm: LLM,
    *,
    rounds: int = 2,
    temperature: float = 1.0,
    max_tokens: int = 512,
    seed: int = 0,
) -> Rows[Dialogue]:
    """One answer of the model is a whole talk around a seed; it is read into turns and kept where both play along."""
    talks = script(
        llm,
        prompts,
        TALK,
        lambda _: tuple(ROLES),
        turns=SHOTS,
        least=2 * rounds,
        temperature=temperature,
        max_tokens=max_tokens,
        seed=seed,
    )
    return keep([dialogue(row, said) for row, said in talks], lambda row: fault(row, rounds))


def dialogue(row: Prompt, said: Answer[tuple[Message, ...]]) -> Dialogue:
    """The talk in the roles of a chat, up to the assistant's last message."""
    turns = [Message(role=ROLES[turn["role"]], content=turn["content"]) for turn in said.value]
    end = len(turns) - (turns[-1]["role"] == "user")
    return Dialogue(messages=tuple(turns[:end]), origin=(row, said))


def fault(row: Dialogue, rounds: int) -> str:
    """Why a talk is none to learn from."""
    if row.messages[0]["role"] != "user":
        return "the assistant speaks first"
    if len(row.messages) < 2 * rounds:
        return f"the talk has fewer than {rounds} rounds"
    return "the talk runs in a circle" if circles(row.messages) else ""


TALK = """A person talks with an AI assistant. Write down what they say: first "Human:" asks about the topic, then "AI:"
answers, and so on, in turns of one or two sentences, each on a new line, until there is nothing more to ask. The human
never thanks or says goodbye before the end; the AI is correct, detailed, and does not ask questions.

Topic: {prompt}"""

SHOTS = [
    (
        TALK.format(prompt="Why is the sky blue?"),
        """Human: Why is the sky blue?
AI: Sunlight holds all colors. The air scatters blue light more than red light, so blue reaches us from everywhere.
Human: Then why is it red in the evening?
AI: In the evening the light takes a longer way through the air. Most of the blue is lost on it, and the red is left.
Human: Is the sky blue on Mars too?
AI: No. The dust in the air of Mars makes its sky look pink by day, and blue near the sun at sunset.""",
    ),
    (
        TALK.format(prompt="I can't sleep"),
        """Human: I can't sleep. What can I do?
AI: Go to bed at the same time each day, and put your phone away an hour before.
Human: Does warm milk help?
AI: It may help you to calm down, but it does not work for everyone. A walk in the afternoon does more.""",
    ),
]
