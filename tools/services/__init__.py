"""The real components on this machine, from wheels: an S3 store and Postgres, for `make services-up`, tests and bench.

They listen on 127.0.0.1 alone, on free ports, with credentials of their own, and keep everything below one folder.
"""

from tools.services.minio import Minio as Minio
from tools.services.postgres import Postgres as Postgres
from tools.services.program import free_ports as free_ports
from tools.services.seaweedfs import ObjectStorage as ObjectStorage
from tools.services.service import ServiceError as ServiceError
from tools.services.service import running as running
from tools.services.stack import Stack as Stack
