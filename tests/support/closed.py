"""Folders that may not be entered, also where the tests are run by root, to whom else none is closed."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_VERSION_3 = 0x20080522
_DAC = 0b110
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: root's right to pass by the bits of files and folders."""


@contextmanager
def closed(folder: Path) -> Iterator[None]:
    """This folder may not be entered by anybody, root in this thread included."""
    mode = folder.stat().st_mode
    folder.chmod(0)
    try:
        with heeding_bits():
            yield
    finally:
        folder.chmod(mode)


@contextmanager
def heeding_bits() -> Iterator[None]:
    """Root, in this thread, may do what the bits of files and folders say."""
    if os.geteuid():
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, before = (ctypes.c_uint32 * 2)(_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    assert not libc.capget(header, before)
    without = (ctypes.c_uint32 * 6)(*before)
    without[0] &= ~_DAC  # of the effective ones: the permitted stay, to come back to
    assert not libc.capset(header, without)
    try:
        yield
    finally:
        assert not libc.capset(header, before)
