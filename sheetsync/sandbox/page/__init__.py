"""The sandbox's page: the sheet and TokPortal in a browser."""
