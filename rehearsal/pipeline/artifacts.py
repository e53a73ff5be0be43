"""Artifacts in the stores: zip files in S3, each put and got with the rights of whoever does so, the key's included.

The emulator's S3 does not ask KMS, so that is done here: a data key for each artifact that is put, its decryption for
each that is got, with the same credentials.
"""

import base64
import contextlib
import io
import os
import secrets
import string
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.emulator.calls import client
from rehearsal.emulator.request_keys import via
from rehearsal.pipeline.definition import Definition, Store
from rehearsal.pipeline.errors import ActionError
from rehearsal.pipeline.records import Location

_DATA_KEY = "data-key"
_ALPHABET = string.ascii_letters + string.digits
_PIPELINE_LENGTH, _ARTIFACT_LENGTH, _RANDOM_LENGTH = 20, 10, 7  # of an object's key, as CodePipeline makes it
_PERMISSIONS = 0o777

Credentials = Mapping[str, str]


def new_location(definition: Definition, region: str, artifact: str) -> Location:
    """Where an artifact is going to be.

    Args:
        definition: the pipeline.
        region: the pipeline's region.
        artifact: its name.
    """
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    key = f"{definition.name[:_PIPELINE_LENGTH]}/{artifact[:_ARTIFACT_LENGTH]}/{random}"
    return Location(definition.stores[region].bucket, key)


def put(store: Store, region: str, key: str, content: bytes, credentials: Credentials) -> None:
    """Put an artifact.

    Args:
        store: the store.
        region: its region.
        key: the object.
        content: the zip file.
        credentials: of whoever puts it.
    """
    more: dict[str, Any] = {}
    if store.key:
        kms = client("kms", region=region, credentials=credentials)
        with via("s3"):
            made = kms.generate_data_key(KeyId=store.key, KeySpec="AES_256")
        more = {
            "ServerSideEncryption": "aws:kms",
            "SSEKMSKeyId": store.key,
            "Metadata": {_DATA_KEY: base64.b64encode(made["CiphertextBlob"]).decode()},
        }
    with _named("s3:PutObject", store, key):
        client("s3", region=region, credentials=credentials).put_object(
            Bucket=store.bucket, Key=key, Body=content, **more
        )


def get(store: Store, region: str, key: str, credentials: Credentials) -> bytes:
    """Get an artifact.

    Args:
        store: the store.
        region: its region.
        key: the object.
        credentials: of whoever gets it.
    """
    with _named("s3:GetObject", store, key):
        found = client("s3", region=region, credentials=credentials).get_object(Bucket=store.bucket, Key=key)
    content: bytes = found["Body"].read()
    if _DATA_KEY in found["Metadata"]:
        kms = client("kms", region=region, credentials=credentials)
        with via("s3"):
            kms.decrypt(CiphertextBlob=base64.b64decode(found["Metadata"][_DATA_KEY]), KeyId=store.key)
    return content


@contextlib.contextmanager
def _named(action: str, store: Store, key: str) -> Iterator[None]:
    """Name the right that is missing, as S3 does today; the emulator's says no more than Access Denied."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDenied":
            said = f"not authorized to perform: {action} on resource: arn:aws:s3:::{store.bucket}/{key}"
            error.response["Error"]["Message"] = said
        raise


def pack(folder: Path) -> bytes:
    """Zip a folder, with the permissions of its files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for parent, folders, files in os.walk(folder, followlinks=True):
            folders.sort()
            for name in sorted(files):
                path = Path(parent, name)
                entry = zipfile.ZipInfo(str(path.relative_to(folder)), date_time=(1980, 1, 1, 0, 0, 0))
                entry.external_attr = (path.stat().st_mode & _PERMISSIONS) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def unpack(content: bytes, folder: Path) -> None:
    """Unzip into a folder, with the permissions of the files."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
        for entry in archive.infolist():
            mode = (entry.external_attr >> 16) & _PERMISSIONS
            if mode and not entry.is_dir():
                (folder / entry.filename).chmod(mode)


def read_member(content: bytes, artifact: str, path: str) -> str:
    """Read one file of an artifact.

    Args:
        content: the artifact.
        artifact: its name.
        path: the file.

    Raises:
        ActionError: there is no such file.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        try:
            return archive.read(path).decode()
        except KeyError:
            message = f"File [{path}] does not exist in artifact [{artifact}]"
            raise ActionError("ConfigurationError", message) from None
