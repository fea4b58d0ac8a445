"""Make a dataset: ``python -m stemnet.simulation --help``."""

from stemnet.doors.command_line import simulate

if __name__ == "__main__":
    simulate()
