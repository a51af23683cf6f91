"""Rows that fill themselves: finalized videos at TokPortal become rows of the tracker, once each."""
