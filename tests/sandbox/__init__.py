"""Tests of the sandbox: here what drives it, in the folders its Google, its TokPortal and its page.

These folders are packages so that pytest puts none of them on the import path, where `google` would mix with
google-auth's.
"""
