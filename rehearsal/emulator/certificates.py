"""A certificate authority for one emulator, its server's certificate, and an issuer for the loopback."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFETIME = datetime.timedelta(days=90)
_CLOCK_SKEW = datetime.timedelta(hours=1)


_AUTHORITY, _ISSUER = "Rehearsal CA", "Rehearsal loopback CA"
_LOOPBACK = ipaddress.ip_network("127.0.0.0/8")


@dataclass(frozen=True)
class Certificates:
    """Where the files are: what clients trust, and what the server shows."""

    authority: Path
    certificate: Path
    key: Path


class Issuer:
    """Signs certificates of servers on the loopback, and can sign no other: its own certificate says so.

    Args:
        directory: the folder that `make_certificates` wrote to.
    """

    def __init__(self, directory: Path) -> None:
        self._certificate = directory / "issuer.pem"
        self._key = directory / "issuer.key"

    def issue(self, address: str) -> tuple[bytes, bytes]:
        """Issue a certificate for an address.

        Args:
            address: such as 127.80.3.10.

        Returns:
            The certificate with the issuer's own behind it, and its key, both as PEM.
        """
        signer = serialization.load_pem_private_key(self._key.read_bytes(), password=None)
        if not isinstance(signer, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{self._key} holds no key of ours")
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.IPAddress(ipaddress.ip_address(address))]
        certificate = _build(address, _ISSUER, key.public_key(), signer, names=names)
        chain = certificate.public_bytes(serialization.Encoding.PEM) + self._certificate.read_bytes()
        return chain, _private(key)


def make_certificates(directory: Path) -> Certificates:
    """Write a new authority, a certificate for localhost and 127.0.0.1, and an issuer for all of the loopback.

    The authority's key is never written: nobody can sign with it again.

    Args:
        directory: existing folder for the files.
    """
    files = Certificates(directory / "ca.pem", directory / "server.pem", directory / "server.key")
    root_key, server_key, issuer_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    loopback = x509.NameConstraints(permitted_subtrees=[x509.IPAddress(_LOOPBACK)], excluded_subtrees=None)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = {
        files.authority: _build(_AUTHORITY, _AUTHORITY, root_key.public_key(), root_key),
        files.certificate: _build("localhost", _AUTHORITY, server_key.public_key(), root_key, names=names),
        directory / "issuer.pem": _build(
            _ISSUER, _AUTHORITY, issuer_key.public_key(), root_key, constraints=loopback
        ),
    }
    for file, certificate in made.items():
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    for file, key in ((files.key, server_key), (directory / "issuer.key", issuer_key)):
        file.touch(mode=0o600)
        file.write_bytes(_private(key))
    return files


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _build(
    subject: str,
    issuer: str,
    public_key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    names: Sequence[x509.GeneralName] = (),
    constraints: x509.NameConstraints | None = None,
) -> x509.Certificate:
    """One certificate, with the extensions that strict clients (Python 3.13, OpenSSL 3) ask for.

    Args:
        subject: common name.
        issuer: common name of who signs.
        public_key: its key.
        signer: key of who signs.
        names: of the server; an authority has none.
        constraints: what an authority may sign; all if left out.
    """
    now = datetime.datetime.now(datetime.UTC)
    authority = not names
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
        .add_extension(
            x509.BasicConstraints(ca=authority, path_length=0 if constraints else None), critical=True
        )
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if constraints is not None:
        builder = builder.add_extension(constraints, critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
    return builder.sign(signer, hashes.SHA256())
