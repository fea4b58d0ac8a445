"""From an image to columns: scale, network, peaks, joint fit, and the judging of results."""
