"""The month of alerts/month.py, from the command line."""

import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from alerts.month import main

if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # receivers that are down are part of the story
    main()
