"""What trains members. Today: `numpy_`, compiled NumPy on the CPU, one member per core."""
