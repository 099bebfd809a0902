"""Where an exercise takes place: a network namespace, or loopback with what answers there already."""
