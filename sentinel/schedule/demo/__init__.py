"""The demonstration: practice schools in, the whole way of the data walked before the eyes of a newcomer."""
