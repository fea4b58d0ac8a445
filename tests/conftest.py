"""The process is set up as the doors set it up: waiting threads do not spin."""

from stemnet.runtime import prepare_process

prepare_process()
