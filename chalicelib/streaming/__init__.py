"""The status stream: frames, how they reach the sockets, and what a client may say on one."""
