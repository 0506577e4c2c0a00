"""A log on its way: pump, files, spool, archive."""
