"""Frozen records, errors and seeds: what every other layer stands on."""
