"""The flow of stage `sft`."""

from flows.stage import stage_flow

sft = stage_flow("sft", "Make and augment pairs for supervised fine-tuning.")
