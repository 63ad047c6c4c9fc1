"""Holds back the orders queue, so that a pending order can be joined before its execution begins."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.subject import Subject


@contextmanager
def held_back(subject: Subject) -> Iterator[None]:
    """Deliver no order to the processor within the context: its event source mappings are disabled."""
    processor = subject.function_name("ProcessOrders")
    found = subject.functions.list_event_source_mappings(FunctionName=processor)["EventSourceMappings"]
    try:
        for mapping in found:
            subject.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        yield
    finally:
        for mapping in found:
            subject.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
