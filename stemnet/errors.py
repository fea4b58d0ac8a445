"""Errors meant for the person at the microscope, not for the developer."""


class StemnetError(Exception):
    """Something the user can put right.

    The message is one or two sentences in three parts: what was got, what is
    needed, what to do. The command line prints it as it stands, without a
    traceback; a batch records it and goes on with the next input.
    """
