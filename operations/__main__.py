"""`python -m operations`: what `./lz` starts."""

import signal
import sys

from operations.cli import main

# A job that is stopped gets SIGTERM: what runs is tidied up as after Ctrl-C.
signal.signal(signal.SIGTERM, signal.default_int_handler)
sys.exit(main())
