"""The TikTok client, which only reads: calls and their pace, and what an answer says of codes."""
