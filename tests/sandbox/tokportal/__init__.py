"""Tests of the sandbox's TokPortal: orders, its HTTP, its switches."""
