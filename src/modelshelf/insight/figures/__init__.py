"""Figures: one function for each record, used by terminal, notebook, report and dashboard alike.

A figure draws what its record holds, and computes nothing of its own.
"""
