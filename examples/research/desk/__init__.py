"""The tools of a researcher: they search and read documents, calculate, and write a report."""
