"""What holds for every test."""

import signal

from hypothesis import HealthCheck, settings

# Whoever starts the tests in the background of a shell starts them with SIGINT ignored, nohup does
# so with SIGHUP, and programs hand that down. What the tests start shall find what a user's does.
for _name in ("SIGINT", "SIGHUP", "SIGTERM"):
    _number = getattr(signal, _name, None)
    if _number is not None and signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _name == "SIGINT" else signal.SIG_DFL)

# How long an example takes, and how long it takes to make one up, is a matter of the machine and of
# what else it does; a test that is about time measures the processor's.
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")
