"""Tests of the sandbox's Google: who may call, and what each call does."""
