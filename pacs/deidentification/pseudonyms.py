"""New names for old ones: always the same for the same, and nothing that leads back without the secret."""

import hmac
from functools import lru_cache

from pydicom._uid_dict import UID_dictionary

KNOWN = 4096  # UIDs whose pseudonym is remembered; those of one study are asked for with every object

_UUID_BITS = 128
_PATIENT_BYTES = 10  # of the digest that stand for a patient


class Pseudonyms:
    """Those of one archive. Safe for threads."""

    def __init__(self, secret: bytes) -> None:
        """secret: random, known to the archive alone; another secret gives other pseudonyms."""
        self._secret = secret
        self.uid = lru_cache(KNOWN)(self._uid)

    def _uid(self, uid: str) -> str:
        """A UID in place of this one, made of a UUID (PS3.5 B.2); those of the standard stay."""
        if uid in UID_dictionary:
            return uid
        number = int.from_bytes(self._digest("uid", uid)[: _UUID_BITS // 8])
        number = number & ~(0xF << 76) | 8 << 76  # RFC 9562 5.8: version 8, what it is made of is our affair
        number = number & ~(0b11 << 62) | 0b10 << 62  # RFC 9562 4.1: its variant
        return f"2.25.{number}"

    def patient(self, issuer: str, identifier: str) -> str:
        """A Patient ID in place of that of this issuer."""
        return self._digest("patient", issuer, identifier)[:_PATIENT_BYTES].hex().upper()

    def tag(self, digest: str) -> str:
        """What tells apart what is made of contents with different digests."""
        return self._digest("content", digest).hex()

    def _digest(self, *parts: str) -> bytes:
        return hmac.digest(self._secret, "\0".join(parts).encode(), "sha256")
