"""What to train next. A searcher sees a space, evidence and a seed: no study, shelf or clock."""

from modelshelf.search.evidence import Evidence, Result
from modelshelf.search.suggest import Proposal, Searcher, suggest

__all__ = ["Evidence", "Proposal", "Result", "Searcher", "suggest"]
