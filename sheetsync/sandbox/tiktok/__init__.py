"""The local TikTok: ad accounts and what they know of Spark codes, over the part of its Business API that reads."""
