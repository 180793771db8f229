"""What is handed over: figures, pages, workbooks, slides."""
