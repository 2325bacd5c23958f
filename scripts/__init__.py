"""Commands of this repository, and what they run."""
