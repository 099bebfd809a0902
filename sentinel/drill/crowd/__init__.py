"""A crowd of practice hosts by the thousand: a seeded plan in, a network that answers for every address out."""
