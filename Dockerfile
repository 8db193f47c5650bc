# One image, three uses: web, worker, beat (compose.yaml). docs/production.md explains what it needs.
FROM python:3.13-slim-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /srv/vip
COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt

COPY manage.py pyproject.toml ./
COPY membership membership
COPY perks perks
COPY billing billing
COPY templates templates

# Only static files are written here; what must last is in the database.
RUN useradd --system --create-home vip && mkdir /var/lib/vip && chown vip /var/lib/vip
USER vip
ENV VIP_MODE=production VIP_DATA=/var/lib/vip PORT=8000 PYTHONUNBUFFERED=1
EXPOSE 8000
CMD ["python", "manage.py", "up", "--only", "web"]
