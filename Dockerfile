# The production image. It runs as nobody in particular and writes nowhere but /tmp and, the worker, /audit-heads: give it
# a read-only root file system, a tmpfs and a volume there, as compose.yaml does.
FROM python:3.13-slim AS build

RUN python -m venv /venv
COPY requirements.lock /
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes --requirement /requirements.lock

COPY . /app
WORKDIR /app
# The secrets are for this one command: with them given, none are made and left in the image.
RUN filler=not-a-secret-only-for-the-build-of-static-files \
    && MFMANAGE_SECRET_KEY=$filler MFMANAGE_PEPPER=$filler MFMANAGE_VAULT_AGENT_TOKEN=$filler \
        /venv/bin/python manage.py collectstatic --no-input \
    && /venv/bin/python -m compileall -q /app

FROM python:3.13-slim

ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    WEB_CONCURRENCY=2
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
RUN install --directory --owner=10001 --group=10001 --mode=700 /audit-heads
USER 10001:10001
EXPOSE 8000
CMD ["gunicorn", "mfmanage.wsgi", "--bind=0.0.0.0:8000", "--worker-class=gthread", "--threads=4", "--limit-request-line=8190", \
    "--worker-tmp-dir=/dev/shm", "--no-control-socket", "--forwarded-allow-ips=*"]
