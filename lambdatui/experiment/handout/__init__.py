"""Pictures to hand out: one self-contained page, and the timeline on it, of what a laboratory has shown."""
