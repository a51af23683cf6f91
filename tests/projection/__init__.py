"""Tests of what the cells say. A package, because the oracle of the histories reads the notes from here."""
