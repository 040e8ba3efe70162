"""Tables: how they are read, what is understood of them, splits, preparation and metrics."""
