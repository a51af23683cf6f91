"""One history at a time: people, managers, faults and crashes round the real program, and what must hold throughout."""
