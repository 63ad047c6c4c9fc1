"""The client without I/O: requests, answers, retries and streams as flows of commands.

=====================  =====================================================================================
module                 contains
=====================  =====================================================================================
commands               what a flow asks of its driver: send, open, receive, sleep, deliver
session, clock         what the calls of one client share: options, counters, the server's clock
requests, terms        paths, queries and bodies, checked before anything is sent
answers, problems      an answer as a model, or as the exception that it stands for
exact_json             JSON with exact numbers
retry, transience      a call with its retries; which refusals a later attempt may overcome
calls, listing, raw    the calls that read, lists page by page, and any other request
orders, submission     amending and cancelling; placing an order once
streams                the streams of an order and of a user
=====================  =====================================================================================
"""
