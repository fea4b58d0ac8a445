"""Stacks: what drifts and sways from frame to frame is found and taken off, and frames are averaged."""

from stemnet.registration.averaging import Average, average_frames
from stemnet.registration.registering import Registration, register

__all__ = ["Average", "Registration", "average_frames", "register"]
