# Lotus Lake in one image: the locked packages (DuckDB's extensions are among them, nothing is downloaded at run time),
# the program, the project (streams/ and models/) and `chain`, which the CronJobs run.

FROM python:3.11.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python -m venv --without-pip /opt/lotuslake/venv \
    && pip --python /opt/lotuslake/venv/bin/python install \
        --require-hashes --no-deps --only-binary :all: -r requirements.lock \
    && pip install --require-hashes --no-deps --only-binary :all: -r requirements-build.lock
COPY LICENSE README.md pyproject.toml ./
COPY streams streams
COPY models models
COPY lotuslake lotuslake
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /tmp/wheel . \
    && pip --python /opt/lotuslake/venv/bin/python install --no-deps --no-index /tmp/wheel/*.whl

FROM python:3.11.13-slim-bookworm
# Debian's tini as PID 1 hands signals on and reaps what is left.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini=0.19.0-* \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 lotuslake \
    && useradd --uid 10001 --gid 10001 --home-dir /work --create-home --shell /usr/sbin/nologin lotuslake
COPY --from=build /opt/lotuslake/venv /opt/lotuslake/venv
COPY streams /opt/lotuslake/project/streams
COPY models /opt/lotuslake/project/models
COPY --chmod=0755 docker/chain /usr/local/bin/chain
# The root file system may be read-only: everything that is written goes to /work.
ENV PATH=/opt/lotuslake/venv/bin:$PATH \
    HOME=/work \
    TMPDIR=/work \
    LOTUSLAKE_PROJECT_DIR=/opt/lotuslake/project \
    LOTUSLAKE_TEMP_DIR=/work/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /work
USER 10001:10001
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["lotuslake", "--help"]
