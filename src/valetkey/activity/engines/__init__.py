"""SQL engines that return the rows of a report: DuckDB, Spark, Athena. One SELECT (`text`), one view per engine.

INVARIANT: the SQL selects at least the wanted records; `Wanted.event` decides about each, as in the built-in engine. So
every engine gives the same rows for the same trail.
"""
