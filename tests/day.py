"""The day of alerts/day.py, from the command line."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from alerts.day import main

if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # troubles of the days before are part of the story
    main()
