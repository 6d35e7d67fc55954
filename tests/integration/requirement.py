"""What tests need of a machine, such as root or Avahi.

A test that lacks something is skipped, and ctest lists it as such. Where ESP_OTA_FORBID_SKIP is 1, as in
scripts/check, it fails instead.
"""

import errno
import os
import struct
import subprocess
import sys

SKIPPED = 77  # SKIP_RETURN_CODE in CMakeLists.txt
FORBID_SKIP = "ESP_OTA_FORBID_SKIP"


def may_skip():
    return os.environ.get(FORBID_SKIP) != "1"


def end(reason):
    """Ends the test program: skipped, or failed."""
    print(f"{'SKIPPED' if may_skip() else 'FAILED'}: {sys.argv[0]}: {reason}", file=sys.stderr)
    sys.exit(SKIPPED if may_skip() else 1)


def skip(case, reason):
    """Ends one test of a program: skipped, or failed."""
    if not may_skip():
        case.fail(reason)
    print(f"SKIPPED: {case.id()}: {reason}", file=sys.stderr)  # SKIP_REGULAR_EXPRESSION in CMakeLists.txt
    case.skipTest(reason)


def need_root(case, reason):
    if os.geteuid() != 0:
        skip(case, reason)


def need_user_namespace(case):
    """A command that runs another one where only root is known, as PrivateUsers=yes of a systemd unit does."""
    need_root(case, "a file is given to another user")
    before = ("unshare", "--user", "--map-root-user")
    if subprocess.run([*before, "true"], check=False, capture_output=True, timeout=60).returncode != 0:
        skip(case, "user namespaces are not allowed")
    return before


def need_acl(case, path, *entries, name="system.posix_acl_access"):
    """Gives the file an access control list: entries of linux/posix_acl.h, tag, rights and perhaps an id."""
    anybody = 0xffffffff
    packed = [struct.pack("<HHI", tag, rights, *(number or [anybody])) for tag, rights, *number in entries]
    try:
        os.setxattr(path, name, struct.pack("<I", 2) + b"".join(packed))
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        skip(case, f"access control lists at {path}")
