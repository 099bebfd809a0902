"""Jobs that lead evidence through the stages: taking in, scanning, judging, reporting, and the clock behind them."""
