from dicomweb.memory import Memory


def test_what_was_not_used_for_longest_is_forgotten() -> None:
    memory: Memory[str, bytes] = Memory(10, len)
    memory.put("a", b"xxxx")
    memory.put("b", b"xxxx")
    assert memory.get("a") == b"xxxx"
    memory.put("c", b"xxxx")
    assert (memory.get("a"), memory.get("b"), memory.get("c")) == (b"xxxx", None, b"xxxx")


def test_a_value_that_is_put_anew_weighs_once() -> None:
    memory: Memory[str, bytes] = Memory(10, len)
    for _ in range(5):
        memory.put("a", b"xxxx")
    memory.put("b", b"xxxxxx")
    assert memory.get("a") == b"xxxx"
    memory.put("a", b"x")
    memory.put("c", b"xxx")
    assert (memory.get("b"), memory.get("c")) == (b"xxxxxx", b"xxx")


def test_what_is_too_heavy_alone_drives_nothing_out() -> None:
    memory: Memory[str, bytes] = Memory(10, len)
    memory.put("a", b"x")
    memory.put("b", bytes(11))
    assert (memory.get("a"), memory.get("b")) == (b"x", None)
