"""How an installation starts: its data folder, its programs, and what a demo holds. Called by `up` and `demo`."""
