import pytest

from sr.ucum import is_ucum

_UNITS = """1 mm mGy.cm Gy.m2 uA.s % [hnsf'U] deg /min m2.s-1 kg/(m.s2) 10*3/uL 10*-3/mm mm[Hg] {pixels}
    {H.B.}/min ml/min{1.73_m2} g{SUVbw}/ml 100/s ((m)) 10.3"""
_NO_UNITS = """mGycm Gym2 uAs %tile {SUVbw}g/ml m/ m//s 2m m(s) (m.s)2 () (m m) {x x} cm.dag.foo m--2 mm٢"""


@pytest.mark.parametrize("text", _UNITS.split())
def test_units(text: str) -> None:
    assert is_ucum(text)


@pytest.mark.parametrize(
    "text", [*_NO_UNITS.split(), "", "X-ray sources", "{X-Ray sources}", "m s", "m" * 65]
)
def test_no_units(text: str) -> None:
    assert not is_ucum(text)
