"""Train a network on simulated lattices: ``python train.py --help``."""

from stemnet.doors.command_line import train

if __name__ == "__main__":
    train()
