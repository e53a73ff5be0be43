"""`python -m operations`: what `./lz` starts."""

import signal
import sys

from operations.cli import main

# A job that is stopped gets SIGTERM: what runs is tidied up as after Ctrl-C. A shell lets a job in the background
# ignore Ctrl-C, and whatever it starts would ignore it too: nothing could be told to tidy up.
for wanted in (signal.SIGINT, signal.SIGTERM):
    signal.signal(wanted, signal.default_int_handler)
sys.exit(main())
