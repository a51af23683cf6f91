"""The tracker in Google Sheets: read it, write it, verify where a write landed, and put right what went astray."""
