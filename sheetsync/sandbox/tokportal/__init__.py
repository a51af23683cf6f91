"""The local TokPortal: videos, ad code requests, managers, credits, and its HTTP."""
