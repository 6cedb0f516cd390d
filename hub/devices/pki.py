"""The hub's own certificate authority (CA) for its listeners; gateways trust only the certificate of this CA."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub.clock import Clock, at_ms
from hub.devices.private_files import read_private, write_private
from hub.errors import ConfigError

CA_LIFETIME = timedelta(days=3650)
CERTIFICATE_LIFETIME = timedelta(days=397)
RENEW_BEFORE_END = timedelta(days=60)
MAX_CLOCK_ERROR = timedelta(days=1)


@dataclass(frozen=True)
class ServerCertificate:
    """Paths of a listener's certificate and key, and of the CA's certificate that clients trust."""

    cert_file: Path
    key_file: Path
    ca_file: Path


class Authority:
    """The CA in one folder; ``load_or_create`` makes an instance."""

    def __init__(self, folder: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._folder = folder
        self._key = key
        self._certificate = certificate

    @classmethod
    def load_or_create(cls, folder: Path, clock: Clock) -> "Authority":
        """Reads the CA, or creates it at the first start.

        Raises:
            ConfigError: the CA's files are damaged.
        """
        key_file, cert_file = folder / "ca.key", folder / "ca.pem"
        if not (key_file.exists() and cert_file.exists()):
            key = ec.generate_private_key(ec.SECP256R1())
            write_private(key_file, _private_pem(key))
            write_private(cert_file, _public_pem(_self_signed(key, at_ms(clock.now_ms()))))
        try:
            loaded = serialization.load_pem_private_key(read_private(key_file).encode(), password=None)
            certificate = x509.load_pem_x509_certificate(read_private(cert_file).encode())
        except ValueError as error:
            raise ConfigError(f"The hub's CA in {folder} is damaged ({error}): restore it from the backup") from error
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise ConfigError(f"{key_file} is not an elliptic-curve key: restore it from the backup")
        return cls(folder, loaded, certificate)

    @property
    def ca_file(self) -> Path:
        """Path of the CA's certificate, the only one that gateways trust."""
        return self._folder / "ca.pem"

    def server_certificate(self, name: str, hosts: Sequence[str], clock: Clock) -> ServerCertificate:
        """Returns the certificate of a listener for host names and addresses; renews it 60 days before its end."""
        files = ServerCertificate(self._folder / f"{name}.pem", self._folder / f"{name}.key", self.ca_file)
        now = at_ms(clock.now_ms())
        if not _is_current(files, hosts, now):
            key = ec.generate_private_key(ec.SECP256R1())
            write_private(files.key_file, _private_pem(key))
            write_private(files.cert_file, _public_pem(self._issue(key, name, hosts, now)))
        return files

    def _issue(
        self, key: ec.EllipticCurvePrivateKey, name: str, hosts: Sequence[str], now: datetime
    ) -> x509.Certificate:
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(_name(f"Peerwatt {name}"))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - MAX_CLOCK_ERROR)
            .not_valid_after(now + CERTIFICATE_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _self_signed(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = _name("Peerwatt hub CA")
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - MAX_CLOCK_ERROR)
        .not_valid_after(now + CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _is_current(files: ServerCertificate, hosts: Sequence[str], now: datetime) -> bool:
    if not (files.cert_file.exists() and files.key_file.exists()):
        return False
    certificate = x509.load_pem_x509_certificate(files.cert_file.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return list(names) == [_host(host) for host in hosts] and certificate.not_valid_after_utc - now > RENEW_BEFORE_END


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _private_pem(key: ec.EllipticCurvePrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def _public_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
