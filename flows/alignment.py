"""The flow of stage `alignment`."""

from flows.stage import stage_flow

alignment = stage_flow("alignment", "Make preferences: better and worse answers to one prompt.")
