"""What clients write and what they are told when it is wrong, the same over HTTP and on sockets."""
