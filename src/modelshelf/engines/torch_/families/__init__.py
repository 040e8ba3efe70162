"""Families of networks that PyTorch trains, built from a configuration."""
