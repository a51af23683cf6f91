"""sheetsync keeps a shared Google Sheet of TikTok Spark codes in step with TokPortal."""

__version__ = "0.1.0"
