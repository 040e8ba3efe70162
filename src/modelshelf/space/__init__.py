"""Hyperparameters, spaces, configurations and their barcodes."""
