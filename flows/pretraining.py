"""The flow of stage `pretraining`."""

from flows.stage import stage_flow

pretraining = stage_flow("pretraining", "Rephrase real documents for pretraining.")
