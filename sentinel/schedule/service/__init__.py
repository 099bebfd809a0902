"""sentinel as services of systemd: unit files that confine it, written, watched over and removed again."""
