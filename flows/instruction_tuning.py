"""The flow of stage `instruction_tuning`."""

from flows.stage import stage_flow

instruction_tuning = stage_flow("instruction_tuning", "Grow instructions, and their answers, from a few human ones.")
