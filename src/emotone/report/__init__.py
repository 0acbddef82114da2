"""Reads run records, writes tables, figures and one page. Never trains."""
