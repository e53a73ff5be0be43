"""`python -m operations`: what `./lz` starts."""

import sys

from operations.cli import main

sys.exit(main())
