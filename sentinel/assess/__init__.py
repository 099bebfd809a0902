"""Rules judge the map: subjects and rule packs in, detections and clause verdicts out; only rule files are read."""
