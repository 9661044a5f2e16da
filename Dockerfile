# One image for web, worker, beat and migrate. Package sources come from the builder's own configuration.
FROM node:22-slim AS frontend
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM python:3.12-slim AS dependencies
COPY requirements/production.txt /tmp/production.txt
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/production.txt

FROM python:3.12-slim
# fonts-noto-cjk and the libraries: what WeasyPrint draws the itineraries with.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/*
# A fixed number, so that volumes keep their owner across images.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin songwennuan \
    && install -d -o songwennuan -g songwennuan /media
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MEDIA_ROOT=/media
WORKDIR /app
COPY --from=dependencies /venv /venv
COPY . .
COPY --from=frontend /src/node_modules node_modules
# The settings refuse to load without secrets; these exist for this one command only and reach no service.
RUN python scripts/frontend.py --copy \
    && SECRET_KEY=$(python -c "import secrets; print(secrets.token_urlsafe(64))") \
       PERSONAL_DATA_KEYS=1:$(python -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())") \
       DATABASE_URL=postgres://build:build@127.0.0.1/build REDIS_URL=redis://127.0.0.1/0 ALLOWED_HOSTS=build \
       python manage.py collectstatic --noinput \
    && rm -rf node_modules
USER songwennuan
EXPOSE 8000
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--workers", "3", "--threads", "4", "--timeout", "120", \
     "--max-requests", "2000", "--max-requests-jitter", "200", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", \
     "--access-logfile", "-"]
