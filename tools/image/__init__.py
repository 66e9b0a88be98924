"""The image, built from the Dockerfile by buildah on a stand-in of its base, and run as a cluster runs it."""

MAX_SIZE_BYTES = 700 * 1000**2
# python:3.11-slim-bookworm unpacked, with tini: measured once, rounded up.
BASE_SIZE_BYTES = 150 * 1000**2
