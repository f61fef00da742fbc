"""Sandbox: where programs that models wrote are run. It is a boundary: nothing of them reaches this machine.

No network, no files but a scratch folder of their own, no other processes, and bounds on time, memory and output.
"""

from tasks.sandbox.program import Bounds, Program, Ran
from tasks.sandbox.sandbox import Sandbox, open_sandbox

__all__ = ["Bounds", "Program", "Ran", "Sandbox", "open_sandbox"]
