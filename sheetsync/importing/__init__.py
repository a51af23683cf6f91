"""A file of a person's goes into columns that people write: once, previewed, by the Video ID of each row."""
