"""Many machines, one ledger: what is due, and the engine that has it done once, by whichever worker is free."""
