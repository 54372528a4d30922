"""Whether a text is a unit of the Unified Code for Units of Measure, case sensitive (UCUM 2.1)."""

import re

_PREFIXES = (*"YZEPTGMkhdcmunpfazy", "da", "Ki", "Mi", "Gi", "Ti")

# UCUM 4.2-4.6: the units that take prefixes, and those that do not. Left out: customary units of trade,
# typesetting and homeopathy, which no imaging report uses; a code with them counts as invalid.
_METRIC_SYMBOLS = """
    m s g rad K C cd mol sr Hz N Pa J W A V F Ohm S Wb Cel T H lm lx Bq Gy Sv l L ar t bar u eV
    pc [c] [h] [k] [eps_0] [mu_0] [e] [m_e] [m_p] [G] [g] gf dyn erg P St G Oe Mx Gb sb Lmb ph Gal Ky mho
    cal cal_th [Cal] Ci R RAD REM eq osm kat U [iU] [IU] g% Np B B[SPL] B[V] B[mV] B[uV] B[W] B[kW] b
    bit By Bd m[H2O] m[Hg] mol [ly] st tex"""
_OTHER_SYMBOLS = """
    10* 10^ [pi] % [ppth] [ppm] [ppb] [pptr] gon deg ' '' min h d wk mo a a_t a_j a_g mo_s mo_j mo_g
    atm att AU [in_i] [ft_i] [yd_i] [mi_i] [nmi_i] [sin_i] [sft_i] [cin_i] [cft_i] [lb_av] [oz_av] [gr]
    [degF] [in_i'Hg] [in_i'H2O] [psi] [pH] [hnsf'U] [diop] [p'diop] %[slope] [mesh_i] [Ch] [drp] [MET]
    [HPF] [LPF] [arb'U] [USP'U] [CFU] [PFU] [HP] [PRU] [wood'U] circ sph bit_s"""
_METRIC = frozenset(_METRIC_SYMBOLS.split())
_OTHER = frozenset(_OTHER_SYMBOLS.split())

_ANNOTATION = r"\{[!-z|~]*\}"
_COMPONENT = re.compile(
    r"(?P<symbol>10[*^]|(?:\[[^\[\]\s]+\]|[^\[\]\d+\-./(){}\s])+)(?P<exponent>[+-]?[0-9]+)?"
)
_GROUP = re.compile(r"(?:^|(?<=[./(]))\(([^()]*)\)(?=[./)]|$)")
_INTEGER = re.compile(r"[0-9]+")
_LONGEST = 64


def is_ucum(text: str) -> bool:
    """Whether the text is a valid UCUM code made of the units known here. At most 64 characters."""
    if not 0 < len(text) <= _LONGEST or text[-1] in "./":
        return False
    # An annotation of its own counts as 1; one behind a unit says nothing more (UCUM 2.2, 6).
    text = re.sub(rf"(^|[./(]){_ANNOTATION}(?=[./)]|$)", r"\g<1>1", text)
    text = re.sub(rf"(?<=[^./(]){_ANNOTATION}(?=[./)]|$)", "", text)
    while (group := _GROUP.search(text)) is not None:
        if not _is_flat_term(group[1]):
            return False
        text = f"{text[: group.start()]}1{text[group.end() :]}"
    return _is_flat_term(text)


def _is_flat_term(text: str) -> bool:
    parts = re.split(r"[./]", text.removeprefix("/"))
    return all(_INTEGER.fullmatch(part) or _is_unit(part) for part in parts)


def _is_unit(text: str) -> bool:
    match = _COMPONENT.fullmatch(text)
    if match is None:
        return False
    symbol = match["symbol"]
    if symbol in _METRIC or symbol in _OTHER:
        return True
    return any(symbol.startswith(prefix) and symbol[len(prefix) :] in _METRIC for prefix in _PREFIXES)
