"""Texts that everybody repeats, and so no sign of a benchmark: licences, phrases of examinations, quotations."""

import functools
import sys
from pathlib import Path

_LICENCE_NAMES = ("LICENSE*", "LICENCE*", "COPYING*", "NOTICE*", "licenses/**/*")
_MOST = 100_000
"""Characters of a licence file that are read."""


@functools.cache
def commonplaces() -> tuple[str, ...]:
    """Frames of questions, quotations, and the licences that installed packages and the system carry."""
    return (*_SAYINGS.split("\n\n"), *_licences())


def _licences() -> list[str]:
    """The licence texts on this machine, each once, in an order that does not depend on the file system."""
    files = {
        Path("/usr/share/common-licenses") / name for name in ("Apache-2.0", "GPL-2", "GPL-3", "LGPL-3", "MPL-2.0")
    }
    for entry in {Path(entry) for entry in sys.path if entry.endswith("-packages")}:
        for pattern in _LICENCE_NAMES:
            files.update(entry.glob(f"*.dist-info/{pattern}"))
    return sorted({file.read_text(encoding="utf-8", errors="replace")[:_MOST] for file in files if file.is_file()})


_SAYINGS = """
Choose the correct answer from the options given below.

Choose the one correct answer from the four options that are given below.

Which of the following statements is true? Which of the following statements is not true?

Which of the following is the best answer to the question above?

Select the best answer for each of the following multiple choice questions.

Read the following passage carefully and then answer the questions that follow.

Read the passage below and answer the following question based on the information in the passage.

Answer the following question with yes or no and explain your answer.

Let us think step by step and then give the final answer to the question.

Write a function in Python that takes a list of integers and returns the result.

Write a Python function that takes a string as input and returns a string as output.

Complete the following Python function so that it passes all of the tests below.

Fill in the blank with the word that best completes the sentence.

All of the above. None of the above. Both of the above. It cannot be determined from the information given.

This question refers to the following information.

Explain your reasoning and show your work. Give your answer as a number, as an expression or as an integer.

You are a helpful assistant. Please answer the user's question as truthfully as you can.

To be, or not to be, that is the question: whether 'tis nobler in the mind to suffer the slings and arrows of
outrageous fortune, or to take arms against a sea of troubles, and by opposing end them.

Four score and seven years ago our fathers brought forth on this continent, a new nation, conceived in liberty, and
dedicated to the proposition that all men are created equal.

Government of the people, by the people, for the people, shall not perish from the earth.

We hold these truths to be self-evident, that all men are created equal, that they are endowed by their Creator with
certain unalienable Rights, that among these are Life, Liberty and the pursuit of Happiness.

We the People of the United States, in Order to form a more perfect Union, establish Justice, insure domestic
Tranquility, provide for the common defence, promote the general Welfare, and secure the Blessings of Liberty to
ourselves and our Posterity, do ordain and establish this Constitution for the United States of America.

Congress shall make no law respecting an establishment of religion, or prohibiting the free exercise thereof; or
abridging the freedom of speech, or of the press; or the right of the people peaceably to assemble, and to petition
the Government for a redress of grievances.

It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was
the epoch of belief, it was the epoch of incredulity.

It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of a wife.

Call me Ishmael. Some years ago, never mind how long precisely, having little or no money in my purse.

In the beginning God created the heaven and the earth. And the earth was without form, and void; and darkness was upon
the face of the deep.

For God so loved the world, that he gave his only begotten Son, that whosoever believeth in him should not perish, but
have everlasting life.

Our Father which art in heaven, hallowed be thy name. Thy kingdom come. Thy will be done in earth, as it is in heaven.
Give us this day our daily bread.

The Lord is my shepherd; I shall not want. He maketh me to lie down in green pastures: he leadeth me beside the still
waters.

Therefore all things whatsoever ye would that men should do to you, do ye even so to them. Do unto others as you would
have them do unto you.

All the world's a stage, and all the men and women merely players: they have their exits and their entrances; and one
man in his time plays many parts.

Friends, Romans, countrymen, lend me your ears; I come to bury Caesar, not to praise him.

Tomorrow, and tomorrow, and tomorrow, creeps in this petty pace from day to day, to the last syllable of recorded
time.

Shall I compare thee to a summer's day? Thou art more lovely and more temperate.

The only thing we have to fear is fear itself.

Ask not what your country can do for you, ask what you can do for your country.

That's one small step for man, one giant leap for mankind.

I think, therefore I am. Those who cannot remember the past are condemned to repeat it.

If I have seen further it is by standing on the shoulders of giants.

All happy families are alike; each unhappy family is unhappy in its own way.

Two roads diverged in a yellow wood, and sorry I could not travel both.

Power tends to corrupt, and absolute power corrupts absolutely.

I disapprove of what you say, but I will defend to the death your right to say it.

Early to bed and early to rise makes a man healthy, wealthy and wise.

A journey of a thousand miles begins with a single step. You can lead a horse to water but you cannot make it drink.

Give a man a fish and you feed him for a day; teach a man to fish and you feed him for a lifetime.

The quick brown fox jumps over the lazy dog. How much wood would a woodchuck chuck if a woodchuck could chuck wood?

Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore magna
aliqua. Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo consequat.

All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and should
act towards one another in a spirit of brotherhood.

Every object persists in its state of rest or uniform motion in a straight line unless it is compelled to change that
state by forces impressed on it.

For every action there is an equal and opposite reaction.
"""
