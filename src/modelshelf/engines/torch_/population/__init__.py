"""Populations: members of equal shape, stacked and trained together, operation by operation.

On a GPU one small network leaves nearly all of the device idle. So many are laid on top of each
other along a first axis, and each operation does the same for all of them: `torch.bmm` for their
layers, one update for all their parameters. `engine` is the face, `runner` brings members together,
`stack` holds a group, `step` is what one batch does to it.
"""

from modelshelf.engines.torch_.population.engine import PopulationEngine

__all__ = ["PopulationEngine"]
