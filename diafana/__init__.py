"""The front door: settings, wiring and the command line. It knows everyone and is known by no one."""
