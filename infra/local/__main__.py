"""``python -m infra.local run | deploy | stop | logs | clean | chalice``, with every setting from the environment."""

import signal
import sys

if __name__ == "__main__":
    # Ctrl-C while the modules load ends this process silently: nothing runs yet. ``make run`` blocks the signal until
    # here, because Python answers it with a traceback while it starts.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT,))

    from infra.command import run
    from infra.local.commands import main

    sys.exit(run(main))
