# Burgee's server: a virtual environment that is built in one image and copied into another, without a compiler or pip.
FROM python:3.11-slim AS build

WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY client client
COPY server server
ENV PIP_CONSTRAINT=/src/constraints.txt PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/burgee && /opt/burgee/bin/pip install '.[server,scaled,native]'

FROM python:3.11-slim

# The directory has a parent: a volume may belong to root, and what is made inside it is the server's own.
RUN useradd --system --uid 10001 --user-group --home-dir /var/lib/burgee --create-home burgee
COPY --from=build /opt/burgee /opt/burgee
ENV PATH=/opt/burgee/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    BURGEE_DATA=/var/lib/burgee/data BURGEE_LISTEN=0.0.0.0:4750 BURGEE_LOG_FORMAT=json

USER 10001:10001
VOLUME /var/lib/burgee
EXPOSE 4750 9464
# Python is the first process: SIGTERM reaches it, and nothing is left to be reaped.
ENTRYPOINT ["burgee"]
CMD ["serve"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["burgee", "health"]
