"""Small secrets in the database, encrypted with BOT_ENCRYPTION_KEY: the first key encrypts, all decrypt."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from pydantic import SecretStr

from bot.errors import Misconfigured
from bot.store import vault
from bot.store.database import Database
from bot.telemetry.logging import add_secrets

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

MISSING: Final = "A token must be stored, but BOT_ENCRYPTION_KEY is not set: set it to a long random text."
WRONG: Final = "BOT_ENCRYPTION_KEY does not open what is stored: put the old key behind the new one."


class Rotated(NamedTuple):
    """What `SealedVault.rotate` did: values encrypted anew, and names of those that none of the keys opens."""

    changed: int
    closed: tuple[str, ...]


class Cipher:
    """Seals and opens values. `keys`: the first seals, all open."""

    def __init__(self, keys: Sequence[SecretStr]) -> None:
        self._keys = tuple(key.get_secret_value() for key in keys)
        self._fernet: MultiFernet | None = None

    def seal(self, value: str) -> str:
        """Encrypt. Raises `Misconfigured` without a key."""
        return self._ciphers().encrypt(value.encode()).decode()

    def open(self, sealed: str) -> str:
        """Decrypt. Raises `Misconfigured` without a key, and when none of them is the right one."""
        from cryptography.fernet import InvalidToken

        try:
            value = self._ciphers().decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Misconfigured(WRONG) from None
        if not value.startswith("{"):  # an object is no secret; the tokens in it are known by their shape
            add_secrets(value)
        return value

    def anew(self, sealed: str) -> str:
        """Encrypt with the first key what any of them has encrypted. Raises `Misconfigured` when none has."""
        return self.seal(self.open(sealed))

    def _ciphers(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet  # here, for most bots store no token

        if self._fernet is None:
            if not self._keys:
                raise Misconfigured(MISSING)
            self._fernet = MultiFernet([Fernet(_cipher_key(key)) for key in self._keys])
        return self._fernet


def _cipher_key(key: str) -> bytes:
    """Make a cipher's key; any long random text is one."""
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())


class SealedVault:
    """The values by name; see `bot.adapter.Vault`. `keys` are read each time, for they may be changed meanwhile."""

    def __init__(self, db: Database, keys: Callable[[], Sequence[SecretStr]]) -> None:
        self._db = db
        self._keys = keys
        self._cipher: tuple[Sequence[SecretStr], Cipher] = ((), Cipher(()))

    @property
    def cipher(self) -> Cipher:
        """What seals and opens with the keys of now."""
        keys = self._keys()
        if keys != self._cipher[0]:
            self._cipher = (keys, Cipher(keys))
        return self._cipher[1]

    async def get(self, name: str) -> str | None:
        """Return the value put last under the name, None without one."""
        sealed = await self._db.read(lambda tx: vault.get(tx, name))
        return None if sealed is None else self.cipher.open(sealed)

    async def put(self, name: str, value: str | None) -> None:
        """Store the value; None deletes it."""
        sealed = None if value is None else self.cipher.seal(value)
        await self._db.write(lambda tx: vault.put(tx, name, sealed))

    async def take(self, name: str) -> str | None:
        """Delete the value and return it, None without one; among all processes only one gets it."""
        sealed = await self._db.write(lambda tx: vault.remove(tx, name))
        return None if sealed is None else self.cipher.open(sealed)

    async def names(self, beginning: str) -> Sequence[str]:
        """List the names that begin so."""
        return await self._db.read(lambda tx: list(vault.beginning_with(tx, beginning)))

    async def beginning_with(self, beginning: str) -> Mapping[str, str]:
        """Return the values whose names begin so, by name."""
        sealed = await self._db.read(lambda tx: vault.beginning_with(tx, beginning))
        return {name: self.cipher.open(value) for name, value in sealed.items()}

    async def rotate(self) -> Rotated:
        """Encrypt everything with the first key; what others change meanwhile, they encrypt with it themselves."""
        cipher, count = self.cipher, 0
        closed: list[str] = []
        for name, sealed in (await self._db.read(lambda tx: vault.beginning_with(tx, ""))).items():
            try:
                fresh = cipher.anew(sealed)
            except Misconfigured as error:
                if str(error) == MISSING:
                    raise
                closed.append(name)
                continue
            count += await self._db.write(partial(vault.replace, name=name, old=sealed, new=fresh))
        return Rotated(count, tuple(closed))
