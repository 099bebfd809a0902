"""Detections in, findings with a life of their own out. Pure."""
