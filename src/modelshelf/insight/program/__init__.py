"""One training step as a short program, in NumPy or in PyTorch, that a person reads and runs."""

from modelshelf.insight.program.form import StepForm
from modelshelf.insight.program.plain import numpy_program
from modelshelf.insight.program.torch import torch_program

__all__ = ["StepForm", "numpy_program", "torch_program"]
