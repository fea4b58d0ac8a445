"""Find and describe the atom columns of micrographs: ``python predict.py --help``."""

from stemnet.doors.command_line import predict

if __name__ == "__main__":
    predict()
