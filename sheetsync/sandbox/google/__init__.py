"""The local Google Sheets: books, cells, the batch requests, who may call."""
