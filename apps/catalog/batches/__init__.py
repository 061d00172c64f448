"""How do lessons leave in files, and how do they come back? CSV, XLSX and JSON; `columns` says what is in them."""
