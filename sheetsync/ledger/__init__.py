"""What is remembered: ad code requests, intents, events, and who is at work. All of the SQL."""
