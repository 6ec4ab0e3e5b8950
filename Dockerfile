# One image for every Continuo process; docker-compose.yml and deploy/kubernetes say which runs which.
FROM python:3.13.7-slim
WORKDIR /src
COPY requirements-image.lock pyproject.toml README.md LICENSE ./
RUN pip install --no-cache-dir --require-hashes -r requirements-image.lock
COPY continuo continuo
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
    && useradd --uid 1000 --create-home continuo && mkdir /data && chown continuo /data
USER continuo
# Away from the sources. Mount a project here: its continuo.toml is then found.
WORKDIR /project
ENV CONTINUO_DATA=/data PYTHONUNBUFFERED=1
VOLUME /data
CMD ["continuo", "workers"]
