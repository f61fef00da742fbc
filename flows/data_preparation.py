"""The flow of stage `data_preparation`."""

from flows.stage import stage_flow

data_preparation = stage_flow("data_preparation", "Make data to train on from real documents and problem scripts.")
