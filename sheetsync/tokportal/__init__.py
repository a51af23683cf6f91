"""The TokPortal client: calls, what their answers mean, and the pace they may follow each other at."""
