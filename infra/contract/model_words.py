"""What each model of an answer or a frame is."""

from infra.contract.errors import UndescribedError


def model_words(name: str, model: type) -> str:
    """What a model is: its docstring, unless that is about the code.

    :raises UndescribedError: if the model has no words.
    """
    text = MODELS.get(name) or vars(model).get("__doc__")
    if not text:
        raise UndescribedError(f"infra/contract/model_words.py: describe {name}.")
    return " ".join(text.replace("``", "").split())


#: The models whose docstring is about the code, and those without one.
MODELS: dict[str, str] = {
    "FieldError": "A bad field.",
    "Problem": "A problem (RFC 9457).",
    "Failure": "The failure of a venue or of an attempt.",
    "Route": "A routing decision. Each venue has its quote, or null without a usable one, under a name of its own.",
    "QuotesReceivedMeta": "routing: the quotes of all venues and the choice.",
    "Preview": "What would happen to an order now. Amounts are null where no route exists yet. Limit and sniper "
    "orders have a lifetime.",
    "Warning": "Something unusual about an order.",
    "Verdict": "Why the state of the order does not allow the change.",
    "Links": "The calls about an accepted order.",
    "Cancellation": "An order that is cancelled.",
    "TooLate": "An order that can no longer be cancelled.",
    "Events": "Events of an order.",
    "Event": "An event of an order.",
    "List": "A page of orders.",
    "Token": "A token of the registry.",
    "Tokens": "The token registry.",
    "Health": "The state of the engine and of each dependency.",
    "Latency": "Time in each stage of confirmed orders, in milliseconds.",
    "Extreme": "The average and the worst, in percent.",
    "MissedLimits": "Limit orders that triggered, and whose price left before the swap.",
    "Gain": "How much more the chosen quotes returned, in percent.",
    "Accepted": "An order is accepted. A repeat with the same idempotency key gets the same answer.",
    "Cancellations": "What became of all of a user's orders.",
    "PriceAccepted": "A price is taken.",
    "LaunchAccepted": "A launch is taken.",
    "Percentiles": "Percentiles in whole milliseconds.",
    "Stats": "How well the orders of a window were executed, or its newest orders if it has too many.",
    "Execution": "Counts by status, failure code, venue and retry, times and percentages.",
    "Ticket": "A ticket that opens one socket.",
    "Explanation": "Why an order was executed as it was.",
}
