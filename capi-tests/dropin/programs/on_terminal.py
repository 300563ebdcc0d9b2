"""Runs a command on a terminal of its own, and copies what it shows to standard output.

    on_terminal.py ROWS COLUMNS COMMAND...
"""

import fcntl
import os
import pty
import struct
import sys
import termios


def main():
    rows, columns = int(sys.argv[1]), int(sys.argv[2])
    pid, terminal = pty.fork()
    if pid == 0:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(0, termios.TIOCSWINSZ, size)
        os.execvp(sys.argv[3], sys.argv[3:])
    try:
        while shown := os.read(terminal, 65536):
            os.write(1, shown.replace(b"\r\n", b"\n"))
    except OSError:  # the last user of the terminal has gone
        pass
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
