"""What `report` tells, and as what: a page, a table, a workbook, a calendar."""
