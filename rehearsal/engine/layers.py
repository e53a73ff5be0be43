"""Layers that are uploaded with the ECR API: MiniStack takes them and forgets them; here they can be pulled."""

import base64
import hashlib
import json
from collections.abc import Mapping
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
                error = json.dumps({"__type": "InvalidLayerException", "message": message})
                return 400, {"Content-Type": "application/x-amz-json-1.1"}, error.encode()
            blobs.setdefault(sent["repositoryName"], {})[digest] = layer
        return await serve(method, path, headers, body, query)

    handlers["ecr"] = handle
