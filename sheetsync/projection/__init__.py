"""PURE: what the machine cells of a row and the Summary tab say: cells, windows, notes."""
