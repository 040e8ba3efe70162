"""Pages that stand alone: a study told to one who was not there."""
