# The product's one image; compose.yaml says which process each container is. PostgreSQL and Valkey are not run in it.
FROM python:3.13-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 GOFA_DATA_DIR=/data
WORKDIR /srv/gofa

COPY requirements.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

COPY manage.py pyproject.toml ./
COPY gofa gofa
COPY apps apps
COPY templates templates
COPY static static

RUN useradd --system --uid 10001 --home-dir /data gofa && install -d -o gofa -g gofa -m 0700 /data
USER gofa
VOLUME /data
EXPOSE 8000

# Granian ends threads that idle for 30 s, and with them their database connections, unless it is told not to.
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "2", \
     "--blocking-threads-idle-timeout", "600", "--workers-kill-timeout", "10", "--respawn-failed-workers", "--no-ws", "gofa.wsgi:application"]
