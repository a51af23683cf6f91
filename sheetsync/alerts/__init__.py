"""Who is told what, and when: deciding and wording are pure; `channels.py` sends. What was told is the ledger's."""
