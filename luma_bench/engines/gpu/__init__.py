"""What is about graphics processors: whether one can be used here. No statement runs on one in this version."""
