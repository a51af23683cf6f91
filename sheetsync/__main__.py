"""`python -m sheetsync`: the same as the console script."""

from sheetsync.cli.main import main

main()
