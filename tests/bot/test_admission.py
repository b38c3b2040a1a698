"""Work that can wait begins in its order, and leaves the loop to what cannot."""

from __future__ import annotations

import asyncio

from bot.engine.admission import PAUSE, TOGETHER, AdmissionQueue


class Behind:
    """A database that can be behind."""

    behind = False


async def test_all_begin_in_their_order_and_a_few_at_a_time() -> None:
    queue, begun, rounds = AdmissionQueue(Behind()), list[int](), list[int]()

    async def work(number: int) -> None:
        await queue.enter()
        begun.append(number)

    tasks = [asyncio.create_task(work(number)) for number in range(TOGETHER * 5)]
    while len(begun) < len(tasks):
        before = len(begun)
        await asyncio.sleep(0)
        rounds.append(len(begun) - before)
    assert begun == list(range(TOGETHER * 5))
    assert max(rounds) <= TOGETHER


async def test_none_begins_while_the_database_is_behind() -> None:
    database = Behind()
    database.behind = True
    queue, begun = AdmissionQueue(database), list[int]()

    async def work(number: int) -> None:
        await queue.enter()
        begun.append(number)

    tasks = [asyncio.create_task(work(number)) for number in range(TOGETHER)]
    await asyncio.sleep(PAUSE * 5)
    assert begun == []
    database.behind = False
    await asyncio.gather(*tasks)
    assert begun == list(range(TOGETHER))


async def test_who_gives_up_waiting_keeps_nobody_from_beginning() -> None:
    queue = AdmissionQueue(Behind())
    waiting = [asyncio.create_task(queue.enter()) for _ in range(TOGETHER * 3)]
    await asyncio.sleep(0)
    for task in waiting[::2]:
        task.cancel()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert found[1::2] == [None] * len(waiting[1::2])
    await queue.enter()
