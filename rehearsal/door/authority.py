"""The rehearsal's own certificate authority for public names."""

import base64
import datetime
import hashlib
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rehearsal.door.certificates import Certificate, choose

_LIFETIME = datetime.timedelta(days=90)
_CLOCK_SKEW = datetime.timedelta(hours=1)
_LONGEST_COMMON_NAME = 64  # RFC 5280
_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Rehearsal public CA")])


class Authority:
    """Signs a certificate with the names of an ACM certificate, when somebody asks for one of them.

    Its key is never written, so nobody can sign with it when the door is closed.

    Args:
        directory: private folder; the chains and their keys are written there.

    Attributes:
        certificate: what clients have to trust, as PEM.
        fingerprint: base64 of the SHA-256 of the public key of every certificate that fits the name it was asked for.
            A browser is told to trust this key. One that does not fit is signed for another key, so that the browser
            refuses it as it would the real one.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._build(_NAME, self._key.public_key(), [], authority=True)
        self._leaf_keys = {fits: ec.generate_private_key(ec.SECP256R1()) for fits in (True, False)}
        self._contexts: dict[tuple[Certificate, bool], ssl.SSLContext] = {}
        self._servers: dict[tuple[Certificate, ...], ssl.SSLContext] = {}
        self.certificate = self._certificate.public_bytes(serialization.Encoding.PEM)
        self.fingerprint = fingerprint(self._leaf_keys[True].public_key())

    def context(self, certificates: Sequence[Certificate]) -> ssl.SSLContext:
        """TLS for a server that has these certificates.

        Args:
            certificates: the first is shown to a client that names none of theirs.
        """
        known = tuple(certificates)
        if known not in self._servers:
            context = self._make_context(known[0], fits=False)
            context.sni_callback = self._chooser(known)
            self._servers[known] = context
        return self._servers[known]

    def _chooser(
        self, certificates: Sequence[Certificate]
    ) -> Callable[[ssl.SSLObject, str | None, ssl.SSLContext], None]:
        def show(server: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            shown = choose(certificates, name)
            if shown not in self._contexts:
                self._contexts[shown] = self._make_context(shown[0], fits=shown[1])
            server.context = self._contexts[shown]

        return show

    def _make_context(self, certificate: Certificate, *, fits: bool) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self._write(certificate, fits=fits))
        return context

    def _write(self, certificate: Certificate, *, fits: bool) -> Path:
        """Write a chain with its key: OpenSSL reads them from a file alone."""
        key = self._leaf_keys[fits]
        common_name = certificate.names[0][:_LONGEST_COMMON_NAME]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        leaf = self._build(subject, key.public_key(), certificate.names, authority=False)
        name = hashlib.sha256(f"{certificate}{fits}".encode()).hexdigest()[:32]
        file = self._directory / f"{name}.pem"
        file.touch(mode=0o600)
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + leaf.public_bytes(serialization.Encoding.PEM)
            + self.certificate
        )
        return file

    def _build(
        self,
        subject: x509.Name,
        public_key: ec.EllipticCurvePublicKey,
        names: Sequence[str],
        *,
        authority: bool,
    ) -> x509.Certificate:
        """One certificate, with the extensions that strict clients (Python 3.13, OpenSSL 3) ask for."""
        now = datetime.datetime.now(datetime.UTC)
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
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(_NAME)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _CLOCK_SKEW)
            .not_valid_after(now + _LIFETIME)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(signer, critical=False)
        )
        if not authority:
            alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
            builder = builder.add_extension(alternatives, critical=False).add_extension(
                server, critical=False
            )
        return builder.sign(self._key, hashes.SHA256())


def fingerprint(public_key: PublicKeyTypes) -> str:
    """Return base64 of the SHA-256 of a public key, as `--ignore-certificate-errors-spki-list` wants it."""
    encoded = public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(hashlib.sha256(encoded).digest()).decode()
