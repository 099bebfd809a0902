"""The values every stage speaks in: frozen, without I/O, standard library only."""
