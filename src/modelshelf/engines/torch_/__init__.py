"""PyTorch's engines: any module, one at a time (`engine`), in processes of its own (`remote`), or
many of equal shape at once (`population`).

Importing this package does not import torch: its modules are imported where they are needed.
"""
