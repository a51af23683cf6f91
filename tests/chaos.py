"""The chaos of fleet/chaos.py, from the command line."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fleet.chaos import main

if __name__ == "__main__":
    main()
