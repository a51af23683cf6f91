"""PURE: what `init` adds to a spreadsheet: headers, dropdowns, colours, the Summary tab."""
