# Lotus Lake in one image: the locked packages (DuckDB's extensions are among them, nothing is downloaded at run time),
# the program, the project (streams/ and models/, parsed) and `chain`, which the CronJobs run. docker/layout makes all of
# that; tests/image runs the same script. Renovate (renovate.json) adds digests to the tags and keeps them current.

FROM python:3.11.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1
WORKDIR /src
COPY requirements-build.lock ./
RUN pip install --require-hashes --no-deps --only-binary :all: -r requirements-build.lock
COPY requirements.lock LICENSE README.md pyproject.toml ./
COPY docker docker
COPY streams streams
COPY models models
COPY lotuslake lotuslake
RUN docker/layout /opt/lotuslake

FROM python:3.11.13-slim-bookworm
# Debian's tini as PID 1 hands signals on and reaps what is left.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini=0.19.0-* \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 lotuslake \
    && useradd --uid 10001 --gid 10001 --home-dir /work --create-home --shell /usr/sbin/nologin lotuslake
COPY --from=build /opt/lotuslake /opt/lotuslake
# The root file system may be read-only: everything that is written goes to /work.
ENV PATH=/opt/lotuslake/venv/bin:/opt/lotuslake/bin:$PATH \
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
