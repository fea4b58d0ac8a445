"""The process is set up as the doors set it up, and a run on a server draws the same examples every time."""

import os

from stemnet.runtime import prepare_process

prepare_process()

from hypothesis import settings  # noqa: E402

# A new counterexample is welcome at a desk; on a server it must not decide whether other work lands.
settings.register_profile("server", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("server" if os.environ.get("CI") else "desk")
