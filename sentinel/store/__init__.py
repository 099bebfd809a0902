"""The only home of SQL: values in, values out.

Two doors to one SQLite connection: plain statements for reads and for everything written in bulk (runs, endpoints,
findings), and SQLModel objects for the small things people change (units, networks, authorisations, whitelist, plans).
"""
