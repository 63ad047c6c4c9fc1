"""Pools of threads, which a process builds once."""

from concurrent.futures import ThreadPoolExecutor


def threads(number: int, name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(number, thread_name_prefix=name)
