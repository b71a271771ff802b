"""Engines that answer the rows of a report in SQL: DuckDB, Spark, Athena. One report (`text`), one view per engine.

INVARIANT: the SQL chooses at least the records that are wanted; `Wanted.event` decides about each, as it does for the
built-in engine. So every engine gives the same rows for the same trail.
"""
