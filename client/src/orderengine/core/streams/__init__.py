"""Streams that lose nothing.

=================  =========================================================================================
module             contains
=================  =========================================================================================
watch, follow      the streams of an order and of a user, as the clients offer them
results            the final records of orders, one or several
source             what a stream brings: the protocol of ``watch`` (an order), ``several`` and ``user``
stream             the flow of a stream: a socket while there is one, its renewal and its loss
reception          what a stream does with the frames of a socket: gaps, audits, refusals
polling            a stream without a socket: long polls and polls
delivery           the hand-out of updates, and the news of a reconnection
deadlines          the deadline of a stream, and the limits of each request
sockets, frames    an open socket with its pings and watchdog; the frames on it
resume, order_set  which update of an order is next; the same for several orders, with their gaps
memory, cursors    the orders of a user's stream, until they have ended for long; the place in it as text
pacing             which transport is next, and how long to pause
reconnects         what ``on_reconnect`` gets; close codes in words
=================  =========================================================================================
"""
