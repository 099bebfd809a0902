"""The practice school: what it holds, and the process that serves it."""
