# One image for every Continuo process; docker-compose.yml says which runs which.
FROM python:3.13-slim
WORKDIR /app
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY continuo continuo
COPY examples examples
COPY config config
COPY patterns patterns
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
    && useradd --create-home continuo && mkdir /data && chown continuo /data
USER continuo
ENV CONTINUO_DATA=/data PYTHONUNBUFFERED=1
VOLUME /data
CMD ["continuo", "workers"]
