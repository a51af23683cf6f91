"""What `${NAME}` in a setting stands for: the environment's value, else that of the `.env` file beside the settings.

Owns the two sources and what is wrong with a name. No value that comes from here is ever put into a message: it may
be a key. How a `.env` file is written is python-dotenv's; a `${NAME}` inside it is not filled in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from sheetsync.config.positions import reason

_VARIABLE = re.compile(r"\$\{([^}]*)\}?")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Variables:
    """The variables that a settings file may name; `problems` are those of `.env`, which is read when it is needed."""

    def __init__(self, environ: Mapping[str, str], dotenv: Path) -> None:
        self._environ, self._path = environ, dotenv
        self.problems: list[str] = []

    def fill(self, text: str) -> tuple[str, tuple[str, ...]]:
        """The text with every `${NAME}` replaced, once (values are taken as they are), and what is wrong."""
        wrong: list[str] = []

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if not _VARIABLE_NAME.fullmatch(name) or not match[0].endswith("}"):
                wrong.append(f"'{match[0]}' names no variable; expected ${{NAME}}, of letters, digits and _")
            elif (found := self._value(name)) is not None:
                return found
            else:
                ways = f"`export {name}=...`, or a line `{name}=...` in {self._path}"
                wrong.append(f"the environment variable {name} is not set; expected {ways}")
            return ""

        return _VARIABLE.sub(value, text), tuple(wrong)

    def _value(self, name: str) -> str | None:
        # The nearer setting wins, and then it does not matter whether `.env` can be read.
        return self._environ[name] if name in self._environ else self._dotenv.get(name)

    @cached_property
    def _dotenv(self) -> Mapping[str, str]:
        try:
            text = self._path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            whose = " that the user who runs sheetsync may read (chown)" if isinstance(error, PermissionError) else ""
            self.problems.append(f"{self._path}: cannot be read ({reason(error)}); expected a UTF-8 text{whose}")
            return {}
        values: dict[str, str] = {}
        # parse_stream, since dotenv_values only logs the lines that it leaves out.
        for binding in parse_stream(StringIO(text)):
            if binding.key is not None and binding.value is not None:
                values[binding.key] = binding.value
            elif binding.error or binding.key is not None:
                written = binding.original.string
                blank = written[: len(written) - len(written.lstrip())].count("\n")
                # The line itself is not shown: it may hold a key.
                self.problems.append(
                    f"{self._path}:{binding.original.line + blank}: is not understood; expected NAME=value"
                )
        return values
