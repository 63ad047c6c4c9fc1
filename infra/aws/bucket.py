"""The bucket of an account and region for the code and the templates of deployments.

An object is named by its stack and by the SHA-256 of its own bytes. Every call names the owner of the bucket: one
that somebody else made under this name is refused.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from infra.aws.template import Template
from infra.errors import InfraError
from infra.project import APP

#: With these botocore names the host of a region, as regions since 2019 require.
_REGIONAL = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
_BLOCKED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
#: Uploads that broke off cost as much as others.
_LIFECYCLE = {
    "Rules": [
        {
            "ID": "broken-uploads",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
    ]
}


def s3_config(endpoint_url: str | None) -> Config | None:
    """Return the configuration of S3's client. An emulator has one host for all buckets."""
    return None if endpoint_url else _REGIONAL


class BucketError(InfraError):
    """The bucket belongs to somebody else, or AWS does not show it."""


@dataclass(frozen=True)
class Bucket:
    """The bucket of the account ``owner`` in ``region``, which ``client`` reaches."""

    client: Any
    owner: str
    region: str

    @property
    def name(self) -> str:
        return f"{APP}-{self.owner}-{self.region}"

    @property
    def _place(self) -> dict[str, str]:
        return {"Bucket": self.name, "ExpectedBucketOwner": self.owner}

    def ensure(self) -> None:
        """Create the bucket if it does not exist.

        :raises BucketError: if it is another account's.
        """
        try:
            self.client.head_bucket(**self._place)
            return
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if status == 403:
                raise BucketError(
                    f"The bucket {self.name} is not of the account {self.owner}, or these credentials may not use it."
                ) from None
        # S3 refuses us-east-1 as a location constraint.
        location: Any = {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
        self.client.create_bucket(Bucket=self.name, **({} if self.region == "us-east-1" else location))
        blocked: Any = dict.fromkeys(_BLOCKED, True)
        self.client.put_public_access_block(**self._place, PublicAccessBlockConfiguration=blocked)
        self.client.put_bucket_lifecycle_configuration(**self._place, LifecycleConfiguration=_LIFECYCLE)

    def keep_code(self, stack: str, code: bytes) -> str:
        """Upload a zip unless it is there, and return its key."""
        key = f"{stack}/{hashlib.sha256(code).hexdigest()}.zip"
        try:
            self.client.head_object(**self._place, Key=key)
        except ClientError:
            self.client.put_object(**self._place, Key=key, Body=code)
        return key

    def keep_template(self, stack: str, template: Template) -> str:
        """Upload a template, and return its key."""
        body = json.dumps(template).encode()
        key = f"{stack}/{hashlib.sha256(body).hexdigest()}.json"
        self.client.put_object(**self._place, Key=key, Body=body)
        return key

    def address(self, key: str) -> str:
        """Return the address of an object at the region's host."""
        signed: str = self.client.generate_presigned_url("get_object", Params={"Bucket": self.name, "Key": key})
        return signed.split("?")[0]

    def forget(self, stack: str, *kept: str) -> None:
        """Delete the objects of ``stack`` but those with the keys ``kept``."""
        pages = self.client.get_paginator("list_objects_v2").paginate(**self._place, Prefix=f"{stack}/")
        for page in pages:
            for found in page.get("Contents", ()):
                if found["Key"] not in kept:
                    self.client.delete_object(**self._place, Key=found["Key"])
