"""Preparation: from typed columns to numbers, with statistics from training rows only."""

from modelshelf.data.prepare.pipeline import Preparation, fit_preparation

__all__ = ["Preparation", "fit_preparation"]
