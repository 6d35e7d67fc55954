#!/usr/bin/env python3
"""Takes the place of espota.py in an Arduino core's tools folder: runs esp-ota, which is found in PATH, with the same
arguments. See esp-ota-callers(7)."""

import os
import sys

try:
    os.execvp("esp-ota", ["esp-ota"] + sys.argv[1:])
except OSError as error:
    sys.exit("espota.py: esp-ota cannot be run (%s); is the folder it is installed in part of PATH?" % error.strerror)
