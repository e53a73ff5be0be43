"""The registry, where MiniStack is not ECR: layers can be pulled again, and an image that is not there is an error."""

import base64
import hashlib
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from rehearsal.emulator import internals
from rehearsal.engine.ministack import ECR, get


def install() -> None:
    """Stand before the service and keep what is uploaded."""
    blobs, uploads = get(ECR, "_layer_blobs"), get(ECR, "_uploads")
    handlers = internals.service_handlers()
    serve = handlers["ecr"]

    async def handle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Any:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        if action == "DescribeImages":
            return _described(json.loads(body), await serve(method, path, headers, body, query))
        if action not in ("UploadLayerPart", "CompleteLayerUpload"):
            return await serve(method, path, headers, body, query)
        sent = json.loads(body)
        parts = uploads.setdefault(sent["repositoryName"], {})
        if action == "UploadLayerPart":
            parts.setdefault(sent["uploadId"], bytearray()).extend(base64.b64decode(sent["layerPartBlob"]))
        else:
            layer = bytes(parts.pop(sent["uploadId"], b""))
            digest = f"sha256:{hashlib.sha256(layer).hexdigest()}"
            if digest not in sent["layerDigests"]:
                message = f"The layer's digest is {digest}, not {', '.join(sent['layerDigests'])}"
                return _error("InvalidLayerException", message)
            blobs.setdefault(sent["repositoryName"], {})[digest] = layer
        return await serve(method, path, headers, body, query)

    handlers["ecr"] = handle


def _described(sent: Mapping[str, Any], answer: Any) -> Any:
    """Refuse as ECR does if one of the images that were asked for by name is not there."""
    status, _, body = answer
    if status != HTTPStatus.OK:
        return answer
    found = json.loads(body)["imageDetails"]
    known = {image["imageDigest"] for image in found} | {tag for image in found for tag in image["imageTags"]}
    for wanted in sent.get("imageIds") or []:
        if not known.intersection(wanted.values()):
            message = (
                f"The image with imageId {json.dumps(wanted)} does not exist within the repository with name "
            )
            return _error("ImageNotFoundException", f"{message}'{sent['repositoryName']}'")
    return answer


def _error(code: str, message: str) -> tuple[int, dict[str, str], bytes]:
    content = json.dumps({"__type": code, "message": message})
    return HTTPStatus.BAD_REQUEST, {"Content-Type": "application/x-amz-json-1.1"}, content.encode()
