import asyncio
import threading

import pytest

from continuo.apart import AT_ONCE, apart


async def test_the_loop_goes_on_while_a_large_body_is_read() -> None:
    free = threading.Event()
    reading = asyncio.create_task(apart(AT_ONCE + 1, lambda: free.wait(30)))
    await asyncio.sleep(0)
    free.set()
    assert await reading


async def test_a_small_body_is_read_at_once_and_an_error_is_raised_to_the_reader() -> None:
    assert await apart(AT_ONCE, threading.current_thread) is threading.current_thread()
    assert await apart(AT_ONCE + 1, threading.current_thread) is not threading.current_thread()
    with pytest.raises(ZeroDivisionError):
        await apart(AT_ONCE + 1, lambda: 1 // 0)
