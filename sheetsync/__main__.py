"""`python -m sheetsync`: the same as the console script."""

import sys

try:
    from sheetsync.cli.main import main
except ModuleNotFoundError as error:
    print(
        f"Error: no library {error.name} is installed for this Python: run .venv/bin/sheetsync (README)",
        file=sys.stderr,
    )
    sys.exit(2)

main()
