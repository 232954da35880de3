"""What holds for every test."""

import signal

# Whoever starts the tests in the background of a shell starts them with SIGINT ignored, nohup does
# so with SIGHUP, and programs hand that down. What the tests start shall find what a user's does.
for _name in ("SIGINT", "SIGHUP", "SIGTERM"):
    _number = getattr(signal, _name, None)
    if _number is not None and signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _name == "SIGINT" else signal.SIG_DFL)
