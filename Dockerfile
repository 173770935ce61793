# The image: `docker build .` makes it, `docker run IMAGE spec | check | discover | read` runs it.
ARG BASE_IMAGE=docker.io/airbyte/python-connector-base:4.1.1@sha256:a268b44c733ae699a60f5fbc06a324945dba98945c6e2ab7f8609f2f895b0d28

FROM ${BASE_IMAGE} AS build
WORKDIR /build
COPY requirements/image.txt requirements/run.txt ./
RUN python -m venv tools \
    && tools/bin/pip install --no-cache-dir --only-binary :all: --require-hashes --requirement image.txt \
    && python -m venv --without-pip /opt/source-linear \
    && tools/bin/pip --python /opt/source-linear/bin/python install \
        --no-cache-dir --no-compile --only-binary :all: --require-hashes --requirement run.txt
COPY pyproject.toml README.md LICENSE manifest.yaml ./
COPY schemas schemas
COPY source_linear source_linear
# One commit makes the same files: each has the commit's time, also in what Python compiles of it.
ARG SOURCE_DATE_EPOCH=0
RUN tools/bin/python -m build --wheel --no-isolation \
    && tools/bin/pip --python /opt/source-linear/bin/python install --no-cache-dir --no-compile --no-deps dist/*.whl \
    && find /opt/source-linear -type d -name tests -prune -exec rm -r {} + \
    && tools/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application --output-reproducible \
        --output-file /opt/source-linear/sbom.cdx.json /opt/source-linear/bin/python \
    && find /opt/source-linear -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} + \
    && (PYTHONHASHSEED=0 /opt/source-linear/bin/python -m compileall -qq --invalidation-mode timestamp \
        /opt/source-linear/lib || echo "some files are not Python") \
    && find /opt/source-linear -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

FROM ${BASE_IMAGE}
COPY --from=build /opt/source-linear /opt/source-linear
WORKDIR /airbyte/integration_code
USER 1000:1000
# The platform calls what AIRBYTE_ENTRYPOINT says; people call the ENTRYPOINT.
ENV AIRBYTE_ENTRYPOINT=/opt/source-linear/bin/source-linear
ENTRYPOINT ["/opt/source-linear/bin/source-linear"]
LABEL io.airbyte.version=0.3.0 \
    io.airbyte.name=source-linear \
    org.opencontainers.image.title=source-linear \
    org.opencontainers.image.description="Airbyte source connector for Linear" \
    org.opencontainers.image.version=0.3.0 \
    org.opencontainers.image.licenses=MIT \
    org.opencontainers.image.documentation=https://github.com/source-linear/source-linear/blob/main/docs/linear.md
